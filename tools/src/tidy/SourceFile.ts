/**
 * What tidy knows of one TypeScript file: imports, exports, functions, casts and which names it mentions.
 *
 * Made once per file by the workspace and read by every rule. Lines count from 1, offsets are UTF-16.
 */
import { parseSync, type EcmaScriptModule } from "oxc-parser"
import { isNode, nameOf, walk, type Node } from "./SyntaxTree.ts"

export interface ImportedName {
  /** As the other module exports it; `*` is the whole module. */
  readonly name: string
  readonly local: string
}

export interface Import {
  readonly specifier: string
  readonly line: number
  readonly typeOnly: boolean
  /** `import(…)` as an expression or a type. */
  readonly dynamic: boolean
  readonly names: ReadonlyArray<ImportedName>
}

export interface Export {
  readonly name: string
  readonly local: string
  readonly typeOnly: boolean
  readonly line: number
}

/** `export … from`: `name` `*` is every name, exported `as` themselves (`*`) or as one object. */
export interface Reexport {
  readonly specifier: string
  readonly name: string
  readonly as: string
  readonly line: number
}

export interface FunctionSpan {
  readonly name: string
  readonly line: number
  /** Lines with code, without those of functions inside it, which count for themselves. */
  readonly ownLines: number
  /** Lines with code, functions inside included. */
  readonly allLines: number
  /** An unnamed function passed as an argument. */
  readonly callback: boolean
}

export interface SourceFile {
  readonly path: string
  readonly text: string
  readonly lines: ReadonlyArray<string>
  readonly imports: ReadonlyArray<Import>
  readonly exports: ReadonlyArray<Export>
  readonly reexports: ReadonlyArray<Reexport>
  readonly functions: ReadonlyArray<FunctionSpan>
  /** Lines of `x as T`, except `as const`, and whether a comment stands beside the cast. */
  readonly casts: ReadonlyArray<{ readonly line: number; readonly explained: boolean }>
  /** Lines where an Effect is made and dropped: `Effect.log(…)` as a statement. */
  readonly droppedEffects: ReadonlyArray<number>
  /** `a.b` and `A.B` as types: by object name, the members taken from it. */
  readonly members: ReadonlyMap<string, ReadonlySet<string>>
  /** How often a name stands in the code: not as an import, a key or the object a member is taken from. */
  readonly mentions: ReadonlyMap<string, number>
  /** The text with comments blanked, strings kept. Same offsets. */
  readonly code: string
  readonly headed: boolean
  readonly syntaxErrors: ReadonlyArray<string>
}

const functionTypes = new Set(["FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression"])

const lineStartsOf = (text: string): ReadonlyArray<number> => {
  const starts = [0]
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1)
  return starts
}

/** Line of an offset, by halving. */
const lineFinder = (starts: ReadonlyArray<number>) => (offset: number) => {
  let low = 0
  let high = starts.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (starts[middle]! <= offset) low = middle
    else high = middle - 1
  }
  return low + 1
}

const importsOf = (module: EcmaScriptModule, text: string, lineAt: (offset: number) => number): Array<Import> => {
  const imports: Array<Import> = module.staticImports.map((each) => ({
    specifier: each.moduleRequest.value,
    line: lineAt(each.start),
    typeOnly: each.entries.length > 0 && each.entries.every((entry) => entry.isType),
    dynamic: false,
    names: each.entries.map((entry) => ({
      name: entry.importName.kind === "Default" ? "default" : (entry.importName.name ?? "*"),
      local: entry.localName.value
    }))
  }))
  for (const each of module.dynamicImports) {
    const quoted = text.slice(each.moduleRequest.start, each.moduleRequest.end)
    const specifier = /^["'](.*)["']$/.exec(quoted)?.[1]
    if (specifier !== undefined) {
      imports.push({ specifier, line: lineAt(each.start), typeOnly: false, dynamic: true, names: [] })
    }
  }
  return imports
}

const exportsOf = (module: EcmaScriptModule, lineAt: (offset: number) => number) => {
  const exports: Array<Export> = []
  const reexports: Array<Reexport> = []
  for (const entry of module.staticExports.flatMap((each) => each.entries)) {
    const name = entry.exportName.kind === "Default" ? "default" : (entry.exportName.name ?? "*")
    const line = lineAt(entry.start)
    if (entry.moduleRequest === null) {
      exports.push({ name, local: entry.localName.name ?? name, typeOnly: entry.isType, line })
    } else {
      reexports.push({ specifier: entry.moduleRequest.value, name: entry.importName.name ?? "*", as: name, line })
    }
  }
  return { exports, reexports }
}

/** The name a reader would give a function: its own, or that of what it is bound to. */
const functionName = (node: Node, parent: Node | undefined): string | undefined => {
  const own = nameOf(node["id"])
  if (own !== undefined || parent === undefined) return own
  if (parent.type === "VariableDeclarator") return nameOf(parent["id"])
  if (["Property", "MethodDefinition", "PropertyDefinition"].includes(parent.type)) return nameOf(parent["key"])
  return parent.type === "AssignmentExpression" && isNode(parent["left"])
    ? nameOf(parent["left"]["property"])
    : undefined
}

const blankComments = (text: string, comments: ReadonlyArray<{ start: number; end: number }>): string => {
  let out = ""
  let at = 0
  for (const comment of comments) {
    out += text.slice(at, comment.start) + text.slice(comment.start, comment.end).replace(/[^\n]/g, " ")
    at = comment.end
  }
  return out + text.slice(at)
}

const keyed = new Set([
  "Property",
  "PropertyDefinition",
  "MethodDefinition",
  "TSPropertySignature",
  "TSMethodSignature"
])

/** An identifier that names a member, a key or an import, and so mentions nothing of this module. */
const isLabel = (node: Node, parent: Node | undefined): boolean => {
  if (parent === undefined) return false
  if (parent.type.startsWith("Import") || parent.type === "ExportSpecifier") return true
  if (parent.type === "TSQualifiedName") return parent["right"] === node
  if (parent["computed"] === true) return false
  if (parent.type === "MemberExpression") return parent["property"] === node
  return keyed.has(parent.type) && parent["key"] === node && parent["shorthand"] !== true
}

/** `Effect.x(…)` or `Stream.x(…)`, unless it runs what it is given. */
const isEffectCall = (node: unknown): boolean => {
  if (!isNode(node) || node.type !== "CallExpression") return false
  const callee = node["callee"]
  if (!isNode(callee) || callee.type !== "MemberExpression") return false
  const module = nameOf(callee["object"])
  return (module === "Effect" || module === "Stream") && !/^run[A-Z]/.test(nameOf(callee["property"]) ?? "")
}

/** Collects what only the tree tells. */
const scanTree = (program: Node, code: string, lineAt: (offset: number) => number) => {
  const codeLines = code.split("\n").map((line) => line.trim() !== "")
  const countCode = (from: number, to: number) => codeLines.slice(from - 1, to).filter(Boolean).length
  const functions: Array<FunctionSpan> = []
  const casts: Array<{ start: number; end: number }> = []
  const droppedEffects: Array<number> = []
  const members = new Map<string, Set<string>>()
  const mentions = new Map<string, number>()
  const typeImports: Array<Import> = []
  const nested: Array<number> = []

  const enterFunction = (node: Node, parent: Node | undefined) => {
    const [first, last] = [lineAt(node.start), lineAt(node.end - 1)]
    nested.push(0)
    return () => {
      const inside = nested.pop() ?? 0
      const allLines = countCode(first, last)
      if (nested.length > 0) nested[nested.length - 1]! += countCode(first + 1, last)
      const name = functionName(node, parent)
      const callback = name === undefined && parent?.type === "CallExpression"
      functions.push({ name: name ?? "(unnamed)", line: first, ownLines: allLines - inside, allLines, callback })
    }
  }
  walk(program, undefined, (node, parent) => {
    if (functionTypes.has(node.type)) return enterFunction(node, parent)
    if (node.type === "ExpressionStatement") {
      if (isEffectCall(node["expression"])) droppedEffects.push(lineAt(node.start))
    } else if (node.type === "TSAsExpression") {
      const type = node["typeAnnotation"]
      const constant = isNode(type) && type.type === "TSTypeReference" && nameOf(type["typeName"]) === "const"
      if (!constant) casts.push({ start: node.start, end: node.end })
    } else if (node.type === "MemberExpression" || node.type === "TSQualifiedName") {
      const [object, member] =
        node.type === "MemberExpression" ? [node["object"], node["property"]] : [node["left"], node["right"]]
      const [from, name] = [nameOf(object), nameOf(member)]
      if (from !== undefined && name !== undefined && isNode(object) && object.type === "Identifier") {
        members.set(from, (members.get(from) ?? new Set()).add(name))
        mentions.set(from, (mentions.get(from) ?? 0) - 1)
      }
    } else if (node.type === "TSImportType") {
      const specifier = nameOf(node["source"])
      if (specifier !== undefined) {
        typeImports.push({ specifier, line: lineAt(node.start), typeOnly: true, dynamic: true, names: [] })
      }
    } else if (node.type === "Identifier" && !isLabel(node, parent)) {
      const name = nameOf(node)
      if (name !== undefined) mentions.set(name, (mentions.get(name) ?? 0) + 1)
    }
    return undefined
  })
  return { functions, casts, droppedEffects, members, mentions, typeImports }
}

/** Parses one file. A file that does not parse has its errors in `syntaxErrors`; the compiler says more. */
export const parseSource = (path: string, text: string): SourceFile => {
  const parsed = parseSync(path, text)
  const starts = lineStartsOf(text)
  const lineAt = lineFinder(starts)
  const code = blankComments(text, parsed.comments)
  // the parser's types are a union of every node; the walker needs their common part only
  const tree = scanTree(parsed.program as unknown as Node, code, lineAt)
  const commentLines = new Set(
    parsed.comments.flatMap(({ start, end }) => {
      const [first, last] = [lineAt(start), lineAt(end - 1)]
      return Array.from({ length: last - first + 1 }, (_, index) => first + index)
    })
  )
  const lines = text.split("\n")
  return {
    path,
    text,
    lines,
    imports: [...importsOf(parsed.module, text, lineAt), ...tree.typeImports],
    ...exportsOf(parsed.module, lineAt),
    functions: tree.functions,
    casts: tree.casts.map(({ start, end }) => ({
      line: lineAt(start),
      explained: commentBeside(commentLines, lines, lineAt(start), lineAt(end - 1))
    })),
    droppedEffects: tree.droppedEffects,
    members: tree.members,
    mentions: tree.mentions,
    code,
    headed:
      parsed.comments[0] !== undefined && text.slice(0, parsed.comments[0].start).replace(/^#!.*/, "").trim() === "",
    syntaxErrors: parsed.errors.filter((each) => each.severity === "Error").map((each) => each.message)
  }
}

/** On the cast's lines, or above them with nothing but the same statement's lines between (at most five). */
const commentBeside = (
  commentLines: ReadonlySet<number>,
  lines: ReadonlyArray<string>,
  first: number,
  last: number
) => {
  for (let line = first; line <= last; line++) if (commentLines.has(line)) return true
  for (let line = first - 1; line >= Math.max(1, first - 5); line--) {
    if (commentLines.has(line)) return true
    if ((lines[line - 1] ?? "").trim() === "") return false
  }
  return false
}
