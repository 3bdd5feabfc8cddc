/**
 * The columns of a Parquet file as they lie in it, with their field ids: what a projection by id starts from.
 *
 * Pure. Lists and maps are those of Parquet's standard form (three levels); older forms are Unsupported. Columns without ids
 * get them by the table's name mapping.
 */
import { unsupported } from "../spec/FormatError.ts"
import type { MappedField } from "../spec/NameMapping.ts"
import type { FooterElement } from "../write/parquet/ParquetFooter.ts"

export type PhysicalType =
  | { readonly _tag: "primitive" }
  | { readonly _tag: "struct"; readonly fields: ReadonlyArray<PhysicalField> }
  | { readonly _tag: "list"; readonly element: PhysicalField }
  | { readonly _tag: "map"; readonly key: PhysicalField; readonly value: PhysicalField }

export interface PhysicalField {
  readonly name: string
  /** Undefined: nobody gave it one. */
  readonly id: number | undefined
  readonly type: PhysicalType
}

const converted = { map: 1, mapKeyValue: 2, list: 3 } as const

interface Node {
  readonly element: FooterElement
  readonly children: ReadonlyArray<Node>
}

const treeOf = (elements: ReadonlyArray<FooterElement>): Node => {
  let at = 0
  const next = (): Node => {
    const element = elements[at++] ?? unsupported("a Parquet file whose schema ends too early")
    return { element, children: Array.from({ length: element.childCount }, next) }
  }
  return next()
}

const fieldOf = (node: Node): PhysicalField => ({
  name: node.element.name,
  id: node.element.fieldId,
  type: typeOf(node)
})

const oldForm = (name: string): never =>
  unsupported(`column ${name} of a Parquet file is a list or map of an old form, which is not read here`)

const typeOf = ({ children, element }: Node): PhysicalType => {
  const { convertedType, name } = element
  if (children.length === 0) return element.repeated ? oldForm(name) : { _tag: "primitive" }
  if (convertedType === converted.list) {
    const [repeated] = children
    const inner = repeated?.children
    if (children.length !== 1 || inner?.length !== 1) return oldForm(name)
    return { _tag: "list", element: { ...fieldOf(inner[0]!), name: "element" } }
  }
  if (convertedType === converted.map || convertedType === converted.mapKeyValue) {
    const [key, value] = children[0]?.children ?? []
    if (children.length !== 1 || key === undefined || value === undefined) return oldForm(name)
    return { _tag: "map", key: { ...fieldOf(key), name: "key" }, value: { ...fieldOf(value), name: "value" } }
  }
  return { _tag: "struct", fields: children.map(fieldOf) }
}

/** The top-level columns. */
export const physicalFields = (elements: ReadonlyArray<FooterElement>): ReadonlyArray<PhysicalField> =>
  treeOf(elements).children.map(fieldOf)

const hasIds = (fields: ReadonlyArray<PhysicalField>): boolean =>
  fields.some(({ id, type }) => {
    if (id !== undefined) return true
    if (type._tag === "struct") return hasIds(type.fields)
    if (type._tag === "list") return hasIds([type.element])
    return type._tag === "map" && hasIds([type.key, type.value])
  })

const mapped = (field: PhysicalField, mapping: ReadonlyArray<MappedField>): PhysicalField => {
  const found = mapping.find(({ names }) => names.includes(field.name))
  const within = found?.fields ?? []
  const { type } = field
  const inner = (each: PhysicalField) => mapped(each, within)
  switch (type._tag) {
    case "primitive":
      return { ...field, id: found?.fieldId }
    case "struct":
      return { ...field, id: found?.fieldId, type: { _tag: "struct", fields: type.fields.map(inner) } }
    case "list":
      return { ...field, id: found?.fieldId, type: { _tag: "list", element: inner(type.element) } }
    case "map":
      return { ...field, id: found?.fieldId, type: { _tag: "map", key: inner(type.key), value: inner(type.value) } }
  }
}

/** The columns with ids: their own, or, when the file has none at all, the mapping's. */
export const withMappedIds = (
  fields: ReadonlyArray<PhysicalField>,
  mapping: ReadonlyArray<MappedField> | undefined
): ReadonlyArray<PhysicalField> => {
  if (hasIds(fields)) return fields
  if (mapping === undefined) {
    return unsupported("a data file without field ids, in a table without a name mapping, which is not read here")
  }
  return fields.map((field) => mapped(field, mapping))
}
