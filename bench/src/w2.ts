/** W2 of the peers' workloads. usage: bun bench/src/w2.ts FILE.ndjson [--output DIR] [--through log]: see `workload/Program.ts`. */
import { startProgram } from "@frazil/platform/start"

await startProgram(import.meta.url, async () => {
  const [{ runProgram }, { runWindows, w2 }] = await Promise.all([
    import("./workload/Program.ts"),
    import("./workload/Windows.ts")
  ])
  return () => runProgram(2, (file, through) => runWindows("w2", w2, file, through))
})
