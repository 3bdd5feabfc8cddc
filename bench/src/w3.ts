/** W3 of the peers' workloads. usage: bun bench/src/w3.ts FILE.ndjson [--output DIR] [--through log]: see `workload/Program.ts`. */
import { startProgram } from "@frazil/platform/start"

await startProgram(import.meta.url, async () => {
  const [{ runProgram }, { runWindows, w3 }] = await Promise.all([
    import("./workload/Program.ts"),
    import("./workload/Windows.ts")
  ])
  return () => runProgram(3, (file, through) => runWindows("w3", w3, file, through))
})
