/**
 * What a client of COPY does with bars, by `pg` and `pg-copy-streams`: the rows of a call as CSV into a temporary table, and from there an
 * upsert, a transaction a batch; or COPY straight into the table, which can neither meet a row nor leave one alone.
 *
 * The table has five columns as its key, the values as doubles and no other index. That is the cheapest that is still
 * keyed so; `dearer` adds what such tables are seen with: numeric prices, a second index, an id, times kept by a trigger.
 */
import { pipeline } from "node:stream/promises"
import { Client } from "pg"
import { from as copyFrom } from "pg-copy-streams"
import type { Bar } from "../../src/domain/Bar.ts"

const key = "ts, tenant_id, vendor, symbol, timeframe"
const values = ["open", "high", "low", "close", "volume"] as const
const columns = `${key}, ${values.join(", ")}`

const cheaper = `create table bars (ts timestamptz not null, tenant_id uuid not null, vendor text not null, symbol text not null,
  timeframe text not null, open float8, high float8, low float8, close float8, volume float8, primary key (${key}))`
const dearer = `create table bars (ts timestamptz not null, tenant_id uuid not null, vendor varchar(50) not null,
  symbol varchar(50) not null check (symbol = upper(symbol)), timeframe varchar(10) not null, open numeric(20, 8), high numeric(20, 8),
  low numeric(20, 8), close numeric(20, 8), volume bigint, id uuid not null default gen_random_uuid(),
  created_at timestamptz not null default now(), updated_at timestamptz not null default now(), primary key (${key}));
  create index on bars (tenant_id, vendor, symbol, timeframe, ts desc);
  create function touch() returns trigger language plpgsql as $$ begin new.updated_at = now(); return new; end $$;
  create trigger touch before update on bars for each row execute function touch()`

const tables = { cheaper, dearer }
export type Table = keyof typeof tables

const tenant = "00000000-0000-0000-0000-000000000001"
const lineOf = ({ close, high, low, open, ts, volume }: Bar): string =>
  `${new Date(ts).toISOString()},${tenant},bench,ES,1m,${open},${high},${low},${close},${volume ?? ""}\n`

/** Lines go to the socket a few thousand at a time, so that the server works while the next are written. */
function* csv(bars: ReadonlyArray<Bar>) {
  for (let from = 0; from < bars.length; from += 2_000)
    yield bars
      .slice(from, from + 2_000)
      .map(lineOf)
      .join("")
}

const copied = (client: Client, table: string, bars: ReadonlyArray<Bar>): Promise<void> =>
  pipeline(csv(bars), client.query(copyFrom(`copy ${table} (${columns}) from stdin with (format csv)`)))

const upsert = `insert into bars (${columns}) select ${columns} from incoming
  on conflict (${key}) do update set ${values.map((name) => `${name} = excluded.${name}`).join(", ")}`

const upserted = async (client: Client, bars: ReadonlyArray<Bar>): Promise<void> => {
  await client.query("begin")
  await client.query("create temp table incoming (like bars including defaults) on commit drop")
  await copied(client, "incoming", bars)
  await client.query(upsert)
  await client.query("commit")
}

const inTransaction = async (client: Client, bars: ReadonlyArray<Bar>): Promise<void> => {
  await client.query("begin")
  await copied(client, "bars", bars)
  await client.query("commit")
}

export interface Baseline {
  /** All rows, in batches of `size`, a transaction each. */
  readonly upsert: (bars: ReadonlyArray<Bar>, size: number) => Promise<void>
  readonly copy: (bars: ReadonlyArray<Bar>) => Promise<void>
  readonly close: () => Promise<void>
}

export const createTable = async (url: string, table: Table): Promise<void> => {
  const client = new Client({ connectionString: url })
  await client.connect()
  await client.query(tables[table])
  await client.end()
}

/** `connections` to the table, which share the batches. */
export const open = async (url: string, connections: number): Promise<Baseline> => {
  const clients = Array.from({ length: connections }, () => new Client({ connectionString: url }))
  for (const client of clients) await client.connect()
  const [first] = clients
  if (first === undefined) throw new Error("no connection")
  return {
    upsert: async (bars, size) => {
      let next = 0
      const work = async (client: Client) => {
        while (next < bars.length) {
          const at = next
          next += size
          await upserted(client, bars.slice(at, at + size))
        }
      }
      await Promise.all(clients.map(work))
    },
    copy: (bars) => inTransaction(first, bars),
    close: async () => {
      for (const client of clients) await client.end()
    }
  }
}
