/**
 * Walks the tree of a query: everything in it is allowed, or the first thing that is not is named.
 *
 * Pure. An allowlist over kinds of nodes and names of functions (`Allowed.ts`); tables come out with their `AT` clause and
 * place, common table expressions resolved in their scope. The walk of the text that will run is what protects the data;
 * the walk of the text as it was sent gives errors their places.
 */
import { nearestName } from "./NearestName.ts"
import { expressionClasses, functions, nodeTypes, tableFunctions, volatileNames } from "./Allowed.ts"
import { isObject, placeAt, textAt, type Tree, type TreeObject } from "./SqlTree.ts"

/** A table that a query names. */
export interface TableUse {
  readonly catalog: string
  readonly namespace: string
  readonly name: string
  /** Its clause, when it has one. */
  readonly at: TreeObject | undefined
  /** In bytes. */
  readonly place: number | undefined
}

export interface CheckedTree {
  /** In the order of their places. */
  readonly tables: ReadonlyArray<TableUse>
  /** The same query over the same files may give another answer. */
  readonly volatile: boolean
}

export interface Refusal {
  readonly message: string
  readonly hint: string | undefined
  readonly place: number | undefined
}

/** Trees are not deeper; beyond it a walk might run out of stack. */
const depthMax = 800

class Refused {
  readonly refusal: Refusal
  constructor(message: string, place: number | undefined, hint?: string) {
    this.refusal = { message, hint, place }
  }
}

type Names = ReadonlySet<string>

class Walk {
  readonly tables: Array<TableUse> = []
  volatile = false

  tree(tree: Tree | undefined, names: Names, depth: number): void {
    if (depth > depthMax) throw new Refused("the query is nested too deeply", undefined)
    if (Array.isArray(tree)) {
      for (const each of tree) this.tree(each, names, depth + 1)
    } else if (isObject(tree)) this.object(tree, names, depth)
  }

  private children(node: TreeObject, names: Names, depth: number): void {
    for (const [key, child] of Object.entries(node)) {
      // constants hold values, not parts of a query
      if (key === "value" && textAt(node, "class") === "CONSTANT") continue
      this.tree(child, names, depth + 1)
    }
  }

  private object(node: TreeObject, names: Names, depth: number): void {
    const type = node["type"]
    if ("class" in node) this.expression(node)
    // types of columns are objects too: their kinds end in TYPE_INFO and hold nothing that runs
    else if (typeof type === "string" && !type.endsWith("_TYPE_INFO") && !nodeTypes.has(type)) {
      throw new Refused(refusedNode(type), placeAt(node), refusedNodeHint(type))
    }
    if (type === "BASE_TABLE") return this.table(node, names)
    if (type === "TABLE_FUNCTION") this.tableFunction(node)
    if (isObject(node["sample"])) this.volatile = true
    if ("cte_map" in node) return this.queryNode(node, names, depth)
    // the function of FROM f(…) was judged with the other list of names
    if (type === "TABLE_FUNCTION") return this.tableFunctionParts(node, names, depth)
    this.children(node, names, depth)
  }

  private expression(node: TreeObject): void {
    const kind = textAt(node, "class")
    if (!expressionClasses.has(kind)) {
      const hint = kind === "PARAMETER" ? "write the value into the query" : undefined
      throw new Refused(`${kind.toLowerCase().replaceAll("_", " ")} may not be used here`, placeAt(node), hint)
    }
    if ("function_name" in node) this.functionName(node, functions)
    if (kind === "COLUMN_REF") {
      const column = node["column_names"]
      const only = Array.isArray(column) && column.length === 1 ? column[0] : undefined
      if (typeof only === "string" && volatileNames.has(only.toLowerCase())) this.volatile = true
    }
  }

  private functionName(node: TreeObject, allowed: ReadonlySet<string>): void {
    const name = textAt(node, "function_name").toLowerCase()
    // the parser itself writes "main" for what has a syntax of its own; nothing but built-in functions is in it
    const qualified = !["", "main"].includes(textAt(node, "schema")) || textAt(node, "catalog") !== ""
    if (qualified || !allowed.has(name)) {
      throw new Refused(
        `function ${name} may not be used here`,
        placeAt(node),
        qualified ? "name functions without a schema" : functionHint(name, allowed)
      )
    }
    if (volatileNames.has(name)) this.volatile = true
  }

  private tableFunction(node: TreeObject): void {
    const call = node["function"]
    if (!isObject(call) || textAt(call, "class") !== "FUNCTION") {
      throw new Refused("this call may not be read from", placeAt(node))
    }
    this.functionName(call, tableFunctions)
  }

  private tableFunctionParts(node: TreeObject, names: Names, depth: number): void {
    for (const [key, child] of Object.entries(node)) {
      if (key !== "function") this.tree(child, names, depth + 1)
      else if (isObject(child)) this.children(child, names, depth + 1)
    }
  }

  /** `WITH`: each query sees the names before it. The right side of a recursive one sees its own name. */
  private queryNode(node: TreeObject, outer: Names, depth: number): void {
    const map = isObject(node["cte_map"]) ? node["cte_map"]["map"] : undefined
    const names = new Set(outer)
    for (const entry of Array.isArray(map) ? map : []) {
      if (!isObject(entry)) continue
      this.tree(entry["value"], names, depth + 1)
      names.add(textAt(entry, "key").toLowerCase())
    }
    const own = node["type"] === "RECURSIVE_CTE_NODE" ? textAt(node, "cte_name").toLowerCase() : undefined
    for (const [key, child] of Object.entries(node)) {
      if (key === "cte_map") continue
      this.tree(child, own !== undefined && key === "right" ? new Set([...names, own]) : names, depth + 1)
    }
  }

  private table(node: TreeObject, names: Names): void {
    if (isObject(node["sample"])) this.volatile = true
    const namespace = textAt(node, "schema_name")
    const name = textAt(node, "table_name")
    const catalog = textAt(node, "catalog_name")
    const at = isObject(node["at_clause"]) ? node["at_clause"] : undefined
    if (catalog === "" && namespace === "" && names.has(name.toLowerCase())) {
      if (at === undefined) return
      throw new Refused(
        `AT is for tables of the lake, and ${name} is a query`,
        placeAt(node),
        "put AT where the table is named"
      )
    }
    this.tables.push({ catalog, namespace, name, at, place: placeAt(node) })
  }
}

const functionHint = (name: string, allowed: ReadonlySet<string>): string => {
  const near = nearestName(name, [...allowed])
  return near === undefined
    ? "a query reads tables of the lake and computes; it reads no files and no settings"
    : `did you mean ${near}?`
}

const refusedNode = (type: string): string =>
  type === "SHOW_REF"
    ? "DESCRIBE, SHOW and SUMMARIZE may not be used here"
    : `${type.toLowerCase().replaceAll("_", " ")} may not be used here`

const refusedNodeHint = (type: string): string | undefined =>
  type === "SHOW_REF" ? "the list of tables and their columns is asked for by itself" : undefined

/** What the statement reads, or why it is refused. */
export const checkTree = (statement: TreeObject): CheckedTree | { readonly refusal: Refusal } => {
  const walk = new Walk()
  try {
    walk.tree(statement, new Set(), 0)
  } catch (cause) {
    if (cause instanceof Refused) return { refusal: cause.refusal }
    throw cause
  }
  const tables = [...walk.tables].sort((a, b) => (a.place ?? 0) - (b.place ?? 0))
  return { tables, volatile: walk.volatile }
}
