/**
 * `bun run fuzz`: as many inputs as asked for, from one seed. Prints counts; exits 1 at the first disagreement, which it tells.
 *
 * usage: bun run fuzz [--inputs N, 10 million] [--seed N]
 */
import { parseArgs } from "node:util"
import { makeFuzz } from "./Fuzz.ts"

const { values } = parseArgs({
  options: { inputs: { type: "string", default: "10000000" }, seed: { type: "string", default: "1" } }
})
const wholeOf = (option: string, text: string): number => {
  if (/^[1-9][0-9]*$/.test(text)) return Number(text)
  process.stderr.write(`${option} takes a whole number from 1 on, found ${text}\n`)
  process.exit(1)
}
const inputs = wholeOf("--inputs", values.inputs)
const seed = wholeOf("--seed", values.seed)
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
