/** W5 of the peers' workloads. usage: bun bench/src/w5.ts FILE.ndjson [--output DIR] [--through log]: see `workload/Program.ts`. */
import { startProgram } from "@frazil/platform/start"

await startProgram(import.meta.url, async () => {
  const [{ runProgram }, { w5 }] = await Promise.all([import("./workload/Program.ts"), import("./workload/W5.ts")])
  return () => runProgram(5, w5)
})
