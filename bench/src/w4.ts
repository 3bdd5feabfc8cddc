/** W4 of the peers' workloads. usage: bun bench/src/w4.ts FILE.ndjson [--output DIR] [--through log]: see `workload/Program.ts`. */
import { startProgram } from "@frazil/platform/start"

await startProgram(import.meta.url, async () => {
  const [{ runProgram }, { w4 }] = await Promise.all([import("./workload/Program.ts"), import("./workload/W4.ts")])
  return () => runProgram(4, w4)
})
