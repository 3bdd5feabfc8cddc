import { layerMemory } from "@frazil/core"
import { append, Catalog, commitTable, FileIO, layerSqliteCatalog } from "@frazil/lake"
import { Effect, Layer } from "effect"
import { cpuSeconds } from "./lake/Measured.ts"
import { schema, table, unreadFile } from "./lake/SixteenColumns.ts"
const N = Number(process.argv[2] ?? 400)
const L = layerSqliteCatalog({ file: ":memory:", warehouse: "file:///w" }).pipe(Layer.provideMerge(FileIO.layer), Layer.provideMerge(layerMemory))
await Effect.runPromise(Effect.gen(function* () {
  const catalog = yield* Catalog
  yield* catalog.createTable({ identifier: table, schema })
  const f = (i: number) => unreadFile(i, 0, [], "/w/files")
  for (let from = 0; from < 10000; from += 1000) { const a = Array.from({ length: 1000 }, (_, i) => f(from + i)); yield* commitTable({ table, actions: () => Effect.succeed([append(a)]) }) }
  const c = cpuSeconds()
  const times: number[] = []
  for (let i = 0; i < N; i++) { const a = [f(10000 + i)]; const s = performance.now(); yield* commitTable({ table, actions: () => Effect.succeed([append(a)]) }); times.push(performance.now() - s) }
  times.sort((a, b) => a - b)
  console.log("cpu ms/commit", ((cpuSeconds() - c) * 1000 / N).toFixed(2), "p50", times[N >> 1]!.toFixed(2), "p99", times[Math.floor(N * .99)]!.toFixed(2), "max", times[N - 1]!.toFixed(1))
}).pipe(Effect.provide(L)))
