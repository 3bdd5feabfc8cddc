/**
 * `bun run fuzz`: as many inputs as asked for, from one seed. Prints counts; exits 1 at the first disagreement, which it tells.
 *
 * usage: bun run fuzz [--inputs N] [--seed N]
 */
import { parseArgs } from "node:util"
import { makeFuzz } from "./Fuzz.ts"

const { values } = parseArgs({
  options: { inputs: { type: "string", default: "1000000" }, seed: { type: "string", default: "1" } }
})
const inputs = Number(values.inputs)
const seed = Number(values.seed)
const { counts, run } = makeFuzz(seed)
/** Progress is told whenever so many more are through. */
const toldEvery = 500_000
while (counts.inputs < inputs) {
  const disagreement = run()
  if (counts.inputs % toldEvery === 0) process.stderr.write(`seed ${seed}: ${counts.inputs} inputs agree\n`)
  if (disagreement !== undefined) {
    process.stdout.write(`${JSON.stringify({ seed, ...disagreement })}\n`)
    process.exit(1)
  }
}
process.stdout.write(`${JSON.stringify({ seed, ...counts })}\n`)
