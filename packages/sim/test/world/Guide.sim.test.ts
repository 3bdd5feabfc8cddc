// The README's guide, run: what stands between the marks there and here is the same text.
import { readFileSync } from "node:fs"
import { assert, it } from "@effect/vitest"
// guide
import { Field, Topic } from "@frazil/core"
import { Flow, Job } from "@frazil/engine"
import { Sim } from "@frazil/sim/world"
import { Schema } from "effect"

const Order = Schema.Struct({ id: Field.text(), customer: Field.text(), at: Field.timestamp })
const Orders = Topic.make("orders", { schema: Order, key: "customer", eventTime: "at" })
const Counted = Schema.Struct({ customer: Field.text(), orders: Field.int() })
const Counts = Topic.make("order-counts", { schema: Counted, key: "customer" })

const State = { name: "order-count", schema: Schema.Finite, initial: () => 0, ttl: "1 day" } as const
const job = Job.make("order-counting", [
  Flow.from(Orders).pipe(
    Flow.keyBy("customer"),
    Flow.mapWithState(State, (count, { customer }) => [count + 1, [{ customer, orders: count + 1 }]]),
    Flow.to(Counts)
  )
])

const at = "2026-01-14T12:00:00Z"
const orders = Sim.input(Orders, (random) =>
  Array.from({ length: 60 }, (_, i) => JSON.stringify({ id: `${i}`, customer: `C${random.below(4)}`, at }))
)

it("counts every order once, whatever happens", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const { injected, violations } = Sim.run(job, { seed, input: [orders] })
    assert.deepStrictEqual(violations, [], `seed ${seed}, faults ${JSON.stringify(injected)}`)
  }
})
// end of guide

it("is what the README shows", () => {
  const guide = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8")
  const [, code] = guide("./Guide.sim.test.ts").split(/^\/\/ guide\n|^\/\/ end of guide\n/m)
  assert.include(guide("../../README.md"), `\`\`\`ts\nimport { assert, it } from "@effect/vitest"\n${code}\`\`\``)
})
