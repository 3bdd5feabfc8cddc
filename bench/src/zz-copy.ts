import { DuckDBInstance } from "@duckdb/node-api"
import { mkdirSync, rmSync, statSync, readdirSync } from "node:fs"
import { rowsSql } from "./lake/SixteenColumns.ts"
const dir = "/tmp/lakecommit-scratch/copy"
rmSync(dir, { recursive: true, force: true }); mkdirSync(dir, { recursive: true })
const db = await DuckDBInstance.create(":memory:", { threads: "1" , memory_limit: "256MB", preserve_insertion_order: "true"})
const c = await db.connect()
await c.run("SET TimeZone='UTC'")
const files = Number(process.argv[2] ?? 20)
for (let i = 0; i < files; i++)
  await c.run(`COPY (${rowsSql(i * 50000, (i + 1) * 50000, 1_000_000)}) TO '${dir}/in-${i}.parquet' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3)`)
const bytes = readdirSync(dir).reduce((s, f) => s + statSync(`${dir}/${f}`).size, 0)
console.log("in", (bytes / 1e6).toFixed(1), "MB")
const cpu = () => { const u = process.cpuUsage(); return (u.user + u.system) / 1e6 }
const list = Array.from({ length: files }, (_, i) => `'${dir}/in-${i}.parquet'`).join(",")
const run = async (name: string, sql: string, out?: string) => {
  let best = 1e9
  for (let r = 0; r < 2; r++) {
    if (out) rmSync(out, { force: true })
    const a = cpu(); await c.run(sql); best = Math.min(best, cpu() - a)
  }
  console.log(name.padEnd(40), best.toFixed(2), "cpu s", (best / 60 / (bytes / 1e9)).toFixed(2), "min/GB", out ? (statSync(out).size / 1e6).toFixed(1) + " MB" : "")
}
const from = `read_parquet([${list}], hive_partitioning = false)`
await run("read all (sum hash)", `SELECT count(COLUMNS(*)) FROM ${from}`)
for (const [name, opts] of [
  ["zstd 3", "COMPRESSION zstd, COMPRESSION_LEVEL 3"],
  ["zstd 2", "COMPRESSION zstd, COMPRESSION_LEVEL 2"],
  ["zstd 1", "COMPRESSION zstd, COMPRESSION_LEVEL 1"],
  ["zstd -1", "COMPRESSION zstd, COMPRESSION_LEVEL -1"],
  ["zstd 3 no bloom", "COMPRESSION zstd, COMPRESSION_LEVEL 3, WRITE_BLOOM_FILTER false"],
  ["zstd 1 no bloom", "COMPRESSION zstd, COMPRESSION_LEVEL 1, WRITE_BLOOM_FILTER false"],
  ["uncompressed", "COMPRESSION uncompressed"],
  ["uncompressed no bloom", "COMPRESSION uncompressed, WRITE_BLOOM_FILTER false"],
  ["uncompressed dict 1", "COMPRESSION uncompressed, DICTIONARY_SIZE_LIMIT 1"],
  ["zstd 3 dict 2000", "COMPRESSION zstd, COMPRESSION_LEVEL 3, DICTIONARY_SIZE_LIMIT 2000"],
  ["zstd 1 dict 20000", "COMPRESSION zstd, COMPRESSION_LEVEL 1, DICTIONARY_SIZE_LIMIT 20000"],
] as const)
  await run(name, `COPY (SELECT * FROM ${from}) TO '${dir}/out.parquet' (FORMAT parquet, PARQUET_VERSION v1, ROW_GROUP_SIZE 122880, USE_TMP_FILE false, ${opts})`, `${dir}/out.parquet`)
