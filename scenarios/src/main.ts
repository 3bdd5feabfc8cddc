/**
 * `bun run scenarios [NAME…] [--short]`: what happens when the world is rough, with real processes.
 *
 * Claims need PostgreSQL, instances Kafka, one of the storms a REST catalog and a store of objects, which the scripts of `FRAZIL_INFRA` start. `FRAZIL_STORM_SEED` gives a storm the seed that its result said. Exits 1 when something did not hold.
 */
import { parseArgs } from "node:util"
import { Effect, Exit } from "effect"
import { bank } from "./bank/Bank.ts"
import { claims } from "./claims/Claims.ts"
import { backpressure } from "./kafka/Backpressure.ts"
import { instances } from "./kafka/Instances.ts"
import { herds } from "./lending/Herd.ts"
import type { Scale, Scenario } from "./Scenario.ts"
import { storms } from "./storm/Storm.ts"

const scenarios: ReadonlyArray<Scenario> = [...herds, ...claims, ...instances, backpressure, bank, ...storms]

const help = `bun run scenarios [NAME…] [--short]

${scenarios.map(({ about, name }) => `  ${name.padEnd(20)} ${about}`).join("\n")}`

const runOne = Effect.fnUntraced(function* ({ name, run }: Scenario, scale: Scale) {
  const started = performance.now()
  const exit = yield* Effect.exit(Effect.scoped(run(scale)))
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  if (Exit.isFailure(exit)) {
    console.log(`FAIL  ${name}, ${seconds} s: ${String(exit.cause)}`)
    return false
  }
  const kept = exit.value.every((finding) => finding.kept)
  console.log(`${kept ? "ok  " : "FAIL"}  ${name}, ${seconds} s`)
  for (const finding of exit.value) console.log(`      ${finding.kept ? "" : "NOT "}${finding.what}`)
  return kept
})

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { short: { type: "boolean", default: false }, help: { type: "boolean", short: "h", default: false } }
})
const unknown = positionals.filter((name) => !scenarios.some((scenario) => scenario.name === name))
if (values.help || unknown.length > 0) {
  console.log(unknown.length > 0 ? `no scenario is named ${unknown.join(", ")}\n\n${help}` : help)
  process.exitCode = unknown.length > 0 ? 1 : 0
} else {
  const wanted = scenarios.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
  const kept = await Effect.runPromise(
    Effect.forEach(wanted, (scenario) => runOne(scenario, values.short ? "short" : "full"))
  )
  const failed = kept.filter((each) => !each).length
  console.log(`${kept.length - failed} passed, ${failed} failed`)
  process.exitCode = failed === 0 ? 0 : 1
}
