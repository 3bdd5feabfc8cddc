/** W1 of the peers' workloads. usage: bun bench/src/w1.ts FILE.ndjson [--output DIR] [--through log]: see `workload/Program.ts`. */
import { startProgram } from "@frazil/platform/start"

await startProgram(import.meta.url, async () => {
  const [{ runProgram }, { w1 }] = await Promise.all([import("./workload/Program.ts"), import("./workload/W1.ts")])
  return () => runProgram(1, w1)
})
