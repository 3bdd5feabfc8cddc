/** A join ready to run: its key, and what makes a result of two records. `PlanJob` makes it. */
import { createHash } from "node:crypto"
import type { FieldSpec, RecordShape } from "@frazil/core"
import type { AnyRecord, DiskStore, NodeOf } from "../flow/Node.ts"
import type { PlannedComputed } from "../plan/StagePlan.ts"
import type { JoinSpec, MakeJoined } from "./Join.ts"
import { planFields } from "./JoinFields.ts"

export interface JoinPlan {
  /** The operator's name. */
  readonly name: string
  readonly spec: JoinSpec
  readonly key: ReadonlyArray<FieldSpec>
  /** Takes records, or what is kept of them. */
  readonly make: MakeJoined
  /** The fields that are kept of a side's records, where expressions make the result; undefined: a function takes whole ones. */
  readonly kept: readonly [ReadonlyArray<FieldSpec>, ReadonlyArray<FieldSpec>] | undefined
  /** A hash of what the state was made by: another one cannot read it. */
  readonly shape: string
  readonly store?: DiskStore
}

/** The fields of a shape, each null. */
const nullsOf = (shape: RecordShape | undefined, key: ReadonlyArray<string>): AnyRecord =>
  Object.fromEntries((shape?.fields ?? []).flatMap(({ name }) => (key.includes(name) ? [] : [[name, null]])))

/** Fields of both records; those of a side that is not there are null, the key's apart. */
const merged = (
  key: ReadonlyArray<string>,
  left: RecordShape | undefined,
  right: RecordShape | undefined
): MakeJoined => {
  const [noLeft, noRight] = [nullsOf(left, key), nullsOf(right, key)]
  return (one, other) => ({ ...(one ?? noLeft), ...(other ?? noRight) })
}

/** `left` and `right` are the shapes of the sides' records. Where one may be missing it is known: a job that was made was checked. */
export const planJoin = (
  name: string,
  node: NodeOf<"join">,
  left: RecordShape | undefined,
  right: RecordShape | undefined,
  source: RecordShape,
  computed: ReadonlyArray<PlannedComputed | undefined>
): JoinPlan => {
  const fields = node.fields && left && right ? planFields(node.fields, computed, left, right) : undefined
  const { join: spec, key, store } = node
  // bounds and kind may change: what is held is the same
  const { kind: _, recordsHeldMax: __, recordsPerKeyMax: ___, ...held } = spec
  return {
    name,
    spec,
    // without a shape, the key is the topic's
    key: key.map((field) => (left ?? source).byName.get(field)!),
    make: fields?.make ?? node.make ?? merged(key, left, right),
    kept: fields?.kept,
    shape: createHash("sha256")
      .update(JSON.stringify([key, held]))
      .digest("hex")
      .slice(0, 16),
    ...(store === undefined ? {} : { store })
  }
}
