import { layerLocal, Storage } from "@frazil/core"
import { Effect } from "effect"
import { DatabaseSync } from "node:sqlite"
import { mkdtempSync, rmSync } from "node:fs"
import { quantile } from "./lake/Measured.ts"
const root = mkdtempSync("/tmp/frazil-sync-")
const N = 120
const dbs = ["DELETE", "PERSIST", "TRUNCATE", "WAL"].map((mode) => { const d = new DatabaseSync(`${root}/${mode}.db`); d.exec(`PRAGMA journal_mode=${mode}`); d.exec("PRAGMA synchronous=FULL"); d.exec("create table t(k text primary key, v text)"); d.exec("insert into t values('a','b')"); return [mode, d] as const })
const times: Record<string, number[]> = {}
const t = async (name: string, f: () => unknown) => { const s = performance.now(); await f(); (times[name] ??= []).push(performance.now() - s) }
const storage = await Effect.runPromise(Effect.provide(Storage, layerLocal(root)))
const bytes = (n: number) => new Uint8Array(n).fill(7)
for (let i = 0; i < N; i++) {
  const o = (p: string, n: number) => ({ uri: `file://${root}/m/${p}-${i}`, bytes: bytes(n) })
  await t("one", () => Effect.runPromise(storage.writeNewAll([o("z", 4000)])))
  await t("together", () => Effect.runPromise(storage.writeNewAll([o("a", 4000), o("b", 20000), o("c", 300000)])))
  await t("one by one", async () => { for (const x of [o("d", 4000), o("e", 20000), o("f", 300000)]) await Effect.runPromise(storage.writeNewAll([x])) })
  for (const [mode, d] of dbs) await t(mode, () => d.prepare("update t set v=? where k='a'").run(`v${i}`))
}
for (const [k, v] of Object.entries(times)) console.log(k.padEnd(12), "p50", quantile(v, .5).toFixed(2), "p90", quantile(v, .9).toFixed(2))
rmSync(root, { recursive: true })
