#!/bin/sh
# Run once, when the database is made: the role whose rights the migrations grant, and the user as whom Tapestry works.
# Roles belong to the server, not to a database, so they may be there already.
set -eu
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --set password="$SERVICE_PASSWORD" <<'SQL'
create extension if not exists timescaledb;
select 'create role tapestry_app nologin' where not exists (select from pg_roles where rolname = 'tapestry_app') \gexec
select 'create role tapestry_service' where not exists (select from pg_roles where rolname = 'tapestry_service') \gexec
alter role tapestry_service login password :'password';
grant tapestry_app to tapestry_service;
SQL
