#!/bin/sh
# Run once, when the database is made: the role whose rights the migrations grant, and the user as whom Tapestry works.
set -eu
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --set password="$SERVICE_PASSWORD" <<'SQL'
create extension if not exists timescaledb;
create role tapestry_app nologin;
create role tapestry_service login password :'password' in role tapestry_app;
SQL
