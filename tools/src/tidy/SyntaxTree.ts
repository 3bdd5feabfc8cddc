/**
 * Walks the tree that oxc-parser makes, without caring for most of its node types.
 *
 * Called by SourceFile only. A node is any object with a `type`; children come in the parser's own key order.
 */
import { visitorKeys } from "oxc-parser"

export interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [key: string]: unknown
}

export const isNode = (value: unknown): value is Node =>
  typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string" // narrowed by the test itself

/** Calls `enter` for each node in source order; what `enter` returns is called when the node's children are done. */
export const walk = (
  node: Node,
  parent: Node | undefined,
  enter: (node: Node, parent: Node | undefined) => (() => void) | undefined
): void => {
  const leave = enter(node, parent)
  for (const key of visitorKeys[node.type] ?? []) {
    const child = node[key]
    if (Array.isArray(child)) {
      for (const item of child) if (isNode(item)) walk(item, node, enter)
    } else if (isNode(child)) walk(child, node, enter)
  }
  leave?.()
}

/** The text of an identifier or a string literal; undefined for anything else. */
export const nameOf = (node: unknown): string | undefined => {
  if (!isNode(node)) return undefined
  if ((node.type === "Identifier" || node.type === "PrivateIdentifier") && typeof node["name"] === "string") {
    return node["name"]
  }
  return node.type === "Literal" && typeof node["value"] === "string" ? node["value"] : undefined
}
