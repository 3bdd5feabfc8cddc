/** A lineage as people read it: a tree from where records enter, or a diagram in Mermaid's language. Pure. */
import { type Lineage, type LineageEdge, type LineageNode, Units } from "@frazil/platform"

const speed = (perSecond: number | undefined): ReadonlyArray<string> =>
  perSecond === undefined ? [] : [`${perSecond < 10 ? perSecond.toFixed(1) : Units.count(Math.round(perSecond))}/s`]

const nouns = { file: "line", topic: "record", job: "record", table: "row", sink: "record" } as const

/** `transactions (running): 1,204 records, 10/s, lag 0`. */
const nodeText = (node: LineageNode, edge: LineageEdge | undefined): string => {
  const said = node.state ?? (node.internal === true ? "internal" : undefined)
  const state = said === undefined ? "" : ` (${said})`
  const records = Units.plural(edge?.records ?? node.records, nouns[node.kind])
  const lag = edge?.lag === undefined ? [] : [`lag ${Units.count(edge.lag)}`]
  const figures = [records, ...speed(edge === undefined ? node.perSecond : edge.perSecond), ...lag]
  return `${node.kind} ${node.name}${state}: ${figures.join(", ")}`
}

/** What nothing in the system leads to; where all is a circle, the first node. */
const rootsOf = ({ edges, nodes }: Lineage): ReadonlyArray<LineageNode> => {
  const reached = new Set(edges.map(({ to }) => to))
  return nodes.filter(({ id }) => !reached.has(id))
}

/** A line a node, indented below what leads to it; a node that several lead to is followed once. */
export const lineageLines = (lineage: Lineage): ReadonlyArray<string> => {
  const nodes = new Map(lineage.nodes.map((node) => [node.id, node]))
  const followed = new Set<string>()
  const below = (node: LineageNode, edge: LineageEdge | undefined, depth: number): ReadonlyArray<string> => {
    const further = lineage.edges.filter(({ from }) => from === node.id)
    const line = `${"  ".repeat(depth)}${depth === 0 ? "" : "→ "}${nodeText(node, edge)}`
    if (followed.has(node.id)) return [further.length === 0 ? line : `${line} …`]
    followed.add(node.id)
    return [line, ...further.flatMap((next) => below(nodes.get(next.to)!, next, depth + 1))] // edges lead to nodes
  }
  return rootsOf(lineage).flatMap((root) => below(root, undefined, 0))
}

const brackets = {
  file: [">", "]"],
  topic: ["[(", ")]"],
  job: ["[[", "]]"],
  table: ["[/", "/]"],
  sink: ["([", "])"]
} as const

/** Names reach a diagram as quoted text. */
const quoted = (text: string): string => `"${text.replaceAll('"', "#quot;")}"`

/** `flowchart LR`, for any renderer of Mermaid. */
export const lineageMermaid = (lineage: Lineage): ReadonlyArray<string> => {
  const short = new Map(lineage.nodes.map(({ id }, index) => [id, `n${index}`]))
  const edgeLabel = ({ lag, perSecond, records }: LineageEdge) =>
    [Units.count(records), ...speed(perSecond), ...(lag === undefined ? [] : [`lag ${Units.count(lag)}`])].join(", ")
  return [
    "flowchart LR",
    ...lineage.nodes.map(({ id, kind, name }) => {
      const [open, close] = brackets[kind]
      return `  ${short.get(id)}${open}${quoted(name)}${close}`
    }),
    ...lineage.edges.map((edge) => `  ${short.get(edge.from)} -->|${quoted(edgeLabel(edge))}| ${short.get(edge.to)}`)
  ]
}
