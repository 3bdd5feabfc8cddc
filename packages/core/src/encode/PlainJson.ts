/**
 * Whether a nested value already is what its schema would encode it to, told by a plan made from the schema.
 *
 * `Encoder.ts` asks it first: such a value is JSON as it stands, and the schema, which is many times slower, need not walk
 * it. False for whatever it does not expect, a wrong type, a member too many or a schema of another kind: then the schema
 * decides.
 */
import { Schema, SchemaAST } from "effect"

/** True only of values that the schema encodes to themselves. */
export type PlainJson = (value: unknown) => boolean

const leaves: ReadonlyArray<readonly [SchemaAST.AST, PlainJson]> = [
  [Schema.String.ast, (value) => typeof value === "string"],
  [Schema.Finite.ast, (value) => typeof value === "number" && Number.isFinite(value)],
  [Schema.Boolean.ast, (value) => typeof value === "boolean"],
  [Schema.Null.ast, (value) => value === null]
]

const array =
  (plain: PlainJson): PlainJson =>
  (value) => {
    if (!Array.isArray(value)) return false
    for (let at = 0; at < value.length; at++) if (!plain(value[at])) return false
    return true
  }

/** A plain object: nothing inherited, nothing that JSON would ask for another form. */
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype

const struct = (members: ReadonlyArray<readonly [name: string, plain: PlainJson]>): PlainJson => {
  const names = members.map(([name]) => name)
  return (value) => {
    if (!isObject(value)) return false
    let at = 0
    // in the declared order, as the schema would write them
    for (const name in value) if (name !== names[at++]) return false
    if (at !== names.length) return false
    for (const [name, plain] of members) if (!plain(value[name])) return false
    return true
  }
}

const record =
  (plain: PlainJson): PlainJson =>
  (value) => {
    if (!isObject(value)) return false
    for (const name in value) if (name === "__proto__" || !plain(value[name])) return false
    return true
  }

const union =
  (plains: ReadonlyArray<PlainJson>): PlainJson =>
  (value) =>
    plains.some((plain) => plain(value))

/** All of them, or undefined when one is missing. */
const all = (asts: ReadonlyArray<SchemaAST.AST>): ReadonlyArray<PlainJson> | undefined => {
  const plains = asts.flatMap((ast) => plainJson(ast) ?? [])
  return plains.length === asts.length ? plains : undefined
}

const objectOf = ({ indexSignatures, propertySignatures }: SchemaAST.Objects): PlainJson | undefined => {
  if (indexSignatures.length === 0) {
    const plains = all(propertySignatures.map(({ type }) => type))
    return plains && struct(propertySignatures.map(({ name }, at) => [String(name), plains[at]!]))
  }
  const [only] = indexSignatures
  if (propertySignatures.length > 0 || indexSignatures.length > 1 || only!.parameter !== Schema.String.ast) {
    return undefined
  }
  const plain = plainJson(only!.type)
  return plain && record(plain)
}

/** The test for a schema of texts, finite numbers, booleans, nulls and arrays, structs, records and unions of them. */
export const plainJson = (ast: SchemaAST.AST): PlainJson | undefined => {
  const leaf = leaves.find(([known]) => known === ast)
  if (leaf !== undefined) return leaf[1]
  // a check, another encoded form or an optional member: the schema's own business
  if (ast.checks !== undefined || ast.encoding !== undefined || ast.context !== undefined) return undefined
  if (SchemaAST.isArrays(ast) && ast.elements.length === 0 && ast.rest.length === 1) {
    const plain = plainJson(ast.rest[0]!)
    return plain && array(plain)
  }
  if (SchemaAST.isUnion(ast)) {
    const plains = all(ast.types)
    return plains && union(plains)
  }
  return SchemaAST.isObjects(ast) ? objectOf(ast) : undefined
}
