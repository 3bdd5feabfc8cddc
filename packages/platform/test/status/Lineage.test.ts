import { assert, it } from "@effect/vitest"
import { type Lineage, withRates } from "../../src/status/Lineage.ts"

const look = (atMs: number, records: number): Lineage => ({
  atMs,
  nodes: [{ id: "topic:a", kind: "topic", name: "a", records }],
  edges: [{ from: "topic:a", to: "job:b", records: records / 2, lag: 1 }]
})

it("two looks at a lineage give the speed of every node and edge", () => {
  const { edges, nodes } = withRates(look(1_000, 100), look(3_000, 160))
  assert.deepStrictEqual([nodes[0]?.perSecond, edges[0]?.perSecond], [30, 15])
})

it("what was not there at the first look has no speed yet, and none is negative", () => {
  const { edges, nodes } = withRates({ atMs: 0, nodes: [], edges: [] }, look(1_000, 100))
  assert.deepStrictEqual([nodes[0]?.perSecond, edges[0]?.perSecond], [0, 0])
  assert.strictEqual(withRates(look(0, 100), look(1_000, 0)).nodes[0]?.perSecond, 0)
})

it("two looks in the same moment say nothing about speed", () => {
  assert.deepStrictEqual(withRates(look(1_000, 1), look(1_000, 2)), look(1_000, 2))
})
