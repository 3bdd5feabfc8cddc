/**
 * Which `keyBy`s share one internal topic: those of the two sides of a join whose records come from different stages.
 *
 * A stage reads one topic. Where a join's sides meet in none, both go through one, of as many partitions for both, and their
 * stage has a port for each: a record's envelope tells which input it came by, and so its fields and where it goes on. Sides
 * that would make a stage read its own results are left apart, and `CheckJoin` refuses them.
 */
import type { Graph, Operator } from "../job/Graph.ts"

/** The `keyBy` that keys the flow here; a merge and a join lose the key. */
export const keyAbove = (graph: Graph, operator: Operator): Operator | undefined => {
  let at: Operator | undefined = operator
  do {
    at = at.inputs.length === 1 ? graph.operators[at.inputs[0]!] : undefined
  } while (at !== undefined && at.node.op !== "keyBy")
  return at
}

interface Cut {
  readonly cuts: ReadonlySet<number>
  readonly rootsOf: ReadonlyArray<ReadonlyArray<number>>
}

/** By `keyBy`: the first one of those that it shares a topic with. */
type Together = ReadonlyMap<number, number>

const joined = (together: Together, ids: ReadonlyArray<number>): Together => {
  const firsts = new Set(ids.map((id) => together.get(id) ?? id))
  const all = [...together.keys(), ...ids].filter((id) => firsts.has(together.get(id) ?? id))
  const first = Math.min(...all)
  return new Map([...together, ...all.map((id) => [id, first] as const)])
}

/** Whether a stage would read what it writes, by whatever way. */
const isCyclic = ({ cuts, rootsOf }: Cut, together: Together): boolean => {
  const writersOf = (root: number): ReadonlyArray<number> => {
    const ports = [root, ...[...together].flatMap(([id, first]) => (first === root ? [id] : []))]
    return ports.flatMap((port) => (cuts.has(port) ? rootsOf[port]! : []))
  }
  const done = new Set<number>()
  const leadsBack = (root: number, way: ReadonlySet<number>): boolean => {
    if (way.has(root)) return true
    if (done.has(root)) return false
    const back = writersOf(root).some((writer) => leadsBack(writer, new Set([...way, root])))
    done.add(root)
    return back
  }
  return [...cuts].some((cut) => leadsBack(together.get(cut) ?? cut, new Set()))
}

/** `cutAt` cuts the graph with `keyBy`s that must be cuts. */
export const togetherOf = (graph: Graph, cutAt: (together: Together) => Cut): Together => {
  let together: Together = new Map()
  const apart = new Set<number>()
  for (;;) {
    const { rootsOf } = cutAt(together)
    const join = graph.operators.find(({ id, node }) => node.op === "join" && rootsOf[id]!.length > 1 && !apart.has(id))
    if (join === undefined) return together
    const keys = join.inputs.flatMap((side) => keyAbove(graph, graph.operators[side]!) ?? [])
    const more = joined(
      together,
      keys.map(({ id }) => id)
    )
    if (keys.length < 2 || isCyclic(cutAt(more), more)) apart.add(join.id)
    else together = more
  }
}
