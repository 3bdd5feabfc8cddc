/**
 * A job: outputs gathered under a name, checked as a whole when it is declared.
 *
 * Declared by flows packages, run by apps through `run/RunJob.ts`. A job that was made is sound: what could be refused
 * before it runs has been.
 */
import type { Node, TopicRef } from "../flow/Node.ts"
import type { Output } from "../flow/Flow.ts"
import { internalTopics } from "../plan/InternalTopics.ts"
import { shapesOf } from "../plan/Shapes.ts"
import { stagesOf } from "../plan/Stages.ts"
import { checkGraph } from "./CheckGraph.ts"
import { type Graph, makeGraph } from "./Graph.ts"

export interface Job<out Name extends string = string, out R = never> {
  readonly name: Name
  readonly graph: Graph
  readonly needs: { readonly services: () => R }
}

type Needs<O> = O extends Output<infer R> ? R : never

/** Thrown by `make`: every problem of the declaration at once, each saying what to write instead. */
export class Refused extends Error {
  override readonly name = "JobRefused"
  readonly problems: ReadonlyArray<string>
  constructor(job: string, problems: ReadonlyArray<string>) {
    // a problem's further lines show where in an expression it is
    const lines = problems.map((problem) => `  - ${problem.replaceAll("\n", "\n  ")}`)
    super(`job "${job}" is refused:\n${lines.join("\n")}`)
    this.problems = problems
  }
}

const nameForm = /^[a-z][a-z0-9-]{0,62}$/

/**
 * Declares a job. Throws `Refused` with every problem at once.
 *
 * `name` is the job's uid for life: its state, epochs and positions are found by it.
 */
export const make = <const Name extends string, const O extends ReadonlyArray<Output<unknown>>>(
  name: Name,
  outputs: O
): Job<Name, Needs<O[number]>> => {
  const graph = makeGraph(outputs.map((output): Node => output.node))
  const problems = checkGraph(graph)
  if (outputs.length === 0) problems.push("it has no output: end at least one flow in Flow.to or Flow.validate")
  if (!nameForm.test(name))
    problems.push("its name must be lower case letters, digits and dashes, begin with a letter, and have at most 63")
  if (problems.length > 0) throw new Refused(name, problems)
  const needs = {
    services: (): never => {
      throw new Error("a job's type parameters have no values")
    }
  }
  return Object.freeze({ name, graph, needs })
}

const distinct = (topics: ReadonlyArray<TopicRef>): ReadonlyArray<TopicRef> => [
  ...new Map(topics.map((topic) => [topic.name, topic])).values()
]

/** The topics that a job reads, tables among them. */
export const sources = (job: Pick<Job, "graph">): ReadonlyArray<TopicRef> =>
  distinct([...job.graph.operators.flatMap(({ node }) => (node.op === "source" ? [node.topic] : [])), ...tables(job)])

/** The topics that a job joins with as tables: it needs the latest record of every key, however old. */
export const tables = (job: Pick<Job, "graph">): ReadonlyArray<TopicRef> =>
  distinct(job.graph.operators.flatMap(({ node }) => (node.op === "joinTable" ? [node.table] : [])))

/** The topics that a job writes; the dead letter of what does not decode is not among them. */
export const outputs = (job: Pick<Job, "graph">): ReadonlyArray<TopicRef> =>
  distinct(
    job.graph.operators.flatMap(({ node }) => (node.op === "to" || node.op === "orDeadLetter" ? [node.topic] : []))
  )

/** The topics that a job writes for itself, between its stages: nobody else reads or writes them. */
export const internals = (job: Pick<Job, "name" | "graph">): ReadonlyArray<TopicRef> => {
  const shapes = shapesOf(job.graph, () => {})
  return [...internalTopics(job.name, job.graph, stagesOf(job.graph), shapes).values()]
}
