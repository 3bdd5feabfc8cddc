/**
 * Card transactions (system S2): the border that every transaction crosses, and the rules that judge it.
 *
 * What does not decode goes to the dead letter with its reason; the rest is there for the landing, as it came. What rules
 * find goes to `alerts`. The rules are passed in by who runs it.
 */
import { Flow, Job } from "@frazil/engine"
import { Alerts, RawTransactions } from "@frazil/model"
import { alertFlows, type RuleSet } from "@frazil/rules"

export const transactions = (rules: RuleSet) => {
  const source = Flow.from(RawTransactions)
  return Job.make("transactions", [
    source.pipe(Flow.validate),
    ...alertFlows(rules, RawTransactions, source).map((alerts) => alerts.pipe(Flow.to(Alerts)))
  ])
}
