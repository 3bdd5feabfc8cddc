/**
 * Keyed operators ready to run: which records of a key they keep, how many, how long.
 *
 * `PlanJob` makes them; `KeyedOperator.ts` makes the state of one shard of each.
 */
import { createHash } from "node:crypto"
import type { FieldSpec, RecordShape } from "@frazil/core"
import type { DiskStore, NodeOf } from "../flow/Node.ts"
import type { ProcessSpec } from "./ProcessSpec.ts"
import type { RankOrder } from "./Ranked.ts"
import type { StateSpec } from "./State.ts"

interface Common {
  /** The operator's name. */
  readonly name: string
  /** Fields that are the key together with those that key the flow. */
  readonly fields: ReadonlyArray<string>
  /** A hash of what the state was made by: another one cannot read it. */
  readonly shape: string
  /** On disk, with so much in memory; undefined: in memory. */
  readonly store?: DiskStore
}

/** The first record of a key, by event time. */
export interface FirstPlan extends Common {
  readonly kind: "first"
  readonly ttlMs: number
  readonly keysMax: number
  readonly recordsHeldMax: number
}

/** The first so many records of a key in an order. */
export interface RankingPlan extends Common {
  readonly kind: "ranking"
  readonly n: number
  /** Undefined: by event time, and of one time the later offset comes first. */
  readonly by: string | undefined
  readonly order: RankOrder
  /** Records tell their rank. */
  readonly ranked: boolean
  readonly ttlMs: number
  readonly keysMax: number
}

/** Code over states and timers of a key. */
export interface FunctionPlan extends Common {
  readonly kind: "function"
  readonly spec: ProcessSpec
  /** Those of its states, in their order. */
  readonly specs: ReadonlyArray<StateSpec>
  readonly key: ReadonlyArray<FieldSpec>
  /** It may set timers by the clock. */
  readonly clocked: boolean
}

export type KeyedPlan = FirstPlan | RankingPlan | FunctionPlan

/** Operators that keep records of a key in their own way. */
export type KeyedNode = NodeOf<"deduplicate"> | NodeOf<"topN"> | NodeOf<"process">

const hashOf = (...parts: ReadonlyArray<unknown>): string =>
  createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 16)

export const isKeyedNode = (node: { readonly op: string }): node is KeyedNode =>
  node.op === "deduplicate" || node.op === "topN" || node.op === "process"

/** `source`: the shape of the topic, which is partitioned by the key. */
export const planKeyed = (
  name: string,
  node: KeyedNode,
  key: ReadonlyArray<string>,
  source: RecordShape
): KeyedPlan => {
  const store = node.store === undefined ? {} : { store: node.store }
  if (node.op === "process") {
    const { spec } = node
    const specs = spec.states.map(([, state]) => state)
    const fields = key.map((field) => source.byName.get(field)!) // a job that was made was checked
    return {
      kind: "function",
      name,
      fields: [],
      shape: hashOf("process", key),
      spec,
      specs,
      key: fields,
      clocked: spec.operational !== undefined,
      ...store
    }
  }
  if (node.op === "topN") {
    const { by, keysMax, n, order, ttlMs } = node
    const shape = hashOf("topN", key, by, order, n)
    return { kind: "ranking", name, fields: [], shape, n, by, order, ranked: true, ttlMs, keysMax, ...store }
  }
  const { fields, keep, keysMax, recordsHeldMax, ttlMs } = node
  const shape = hashOf("deduplicate", keep, key, fields)
  const common = { name, fields, shape, ttlMs, keysMax, ...store }
  if (keep === "first") return { kind: "first", ...common, recordsHeldMax }
  return { kind: "ranking", ...common, n: 1, by: undefined, order: "desc", ranked: false }
}
