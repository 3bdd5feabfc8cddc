/**
 * Rules over transactions: the shipped ones, windows included, and with `--more N` so many row rules beside them, with `--only`
 * in their place; the file is the source.
 *
 * usage: bun bench/src/rules.ts FILE.ndjson [--more N] [--only]. Prints one JSON object with the alerts by rule set and the cost of
 * the whole process. A decision is one record judged by every rule.
 */
import { join } from "node:path"
import { Job } from "@frazil/engine"
import { makeFlows, ruleTopics } from "@frazil/flows"
import { Alerts, RawTransactions } from "@frazil/model"
import { formatProblems, loadRules, makeRuleSet } from "@frazil/rules"
import { Effect, Layer, Result } from "effect"
import { jobServices } from "./support/JobServices.ts"
import { makeFileLog } from "./support/FileLog.ts"
import { measureProcess } from "./support/Measure.ts"
import { numberOf } from "./support/Words.ts"

const file = process.argv[2]
if (file === undefined) throw new Error("usage: bun bench/src/rules.ts FILE.ndjson [--more N] [--only]")
const more = numberOf("--more", 0)

/** Rules that ask several fields and seldom hold. */
const extra = Array.from({ length: more }, (_, index) => {
  const when = `amount >= ${20_000 + index}.50 && country != "US" && merchant_category == "jewelry" && lat > ${index % 80}.5`
  return {
    file: `extra-${index}.yaml`,
    text: `id: extra-${index}\nversion: 1\ndescription: d\nseverity: low\non: raw-transactions\nkind: row\nwhen: ${JSON.stringify(when)}\nmessage: m\n`
  }
})

const program = Effect.gen(function* () {
  const shipped = yield* loadRules(join(import.meta.dirname, "../../lakehouse/rules"), ruleTopics)
  const others = Result.getOrThrowWith(
    makeRuleSet(extra, ruleTopics),
    (problems) => new Error(formatProblems(problems))
  )
  const set = {
    rules: [...(process.argv.includes("--only") ? [] : shipped.rules), ...others.rules],
    texts: []
  }
  const source = makeFileLog(RawTransactions.name, file)
  const monitor = Job.monitor()
  const services = Layer.merge(source.layer, jobServices)
  const [job] = makeFlows(set).transactions
  yield* Job.run(job, { bounded: true, inputComplete: () => Effect.sync(source.complete), observer: monitor }).pipe(
    Effect.provide(services)
  )
  const events = monitor.status()[0]?.in ?? 0
  const alerts = source.committed.get(Alerts.name) ?? 0
  process.stdout.write(
    `${JSON.stringify({ w: "rules", rules: set.rules.length, n: events, alerts, ...measureProcess(events) })}\n`
  )
})
await Effect.runPromise(program)
