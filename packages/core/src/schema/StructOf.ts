/**
 * The schema of records whose fields are known only as plain data: of those that operators made on the way.
 *
 * The engine makes topics of its own with it. What it decodes and encodes is what the fields say.
 */
import { Schema } from "effect"
import { Field } from "./Field.ts"
import type { FieldSpec, FieldType } from "./FieldType.ts"

/** The schema of a nested field; undefined when nobody can say. */
export type NestedSchema = (name: string) => Schema.Codec<unknown, unknown> | undefined

/** Values are held untyped where records are. */
const untyped = (schema: Schema.Top): Schema.Codec<unknown, unknown> =>
  schema as unknown as Schema.Codec<unknown, unknown> // any codec decodes to something unknown

const formats = {
  uuid: Field.uuid,
  ipv4: Field.ipv4,
  alpha2: Field.alpha2,
  alpha3: Field.alpha3,
  digits9: Field.digits9
}

const textOf = ({ format, lengthMax, values }: Extract<FieldType, { readonly _tag: "Text" }>) => {
  const [first, ...rest] = values ?? []
  if (first !== undefined) return Field.oneOf([first, ...rest])
  return format === undefined ? Field.text({ lengthMax }) : formats[format]
}

const fieldOf = ({ name, type }: FieldSpec, nested: NestedSchema): Schema.Codec<unknown, unknown> => {
  switch (type._tag) {
    case "Text":
      return untyped(textOf(type))
    case "Decimal":
      return untyped(Field.decimal(type.precision, type.scale, type))
    case "Timestamp":
      return untyped(Field.timestamp)
    case "Date":
      return untyped(Field.date)
    case "Int":
      return untyped(Field.int(type))
    case "Double":
      return untyped(Field.double(type))
    case "Boolean":
      return untyped(Field.boolean)
    case "Json":
      return Field.json(nested(name) ?? Schema.Unknown)
  }
}

/** A struct of the fields, in their order: `RecordShape.of` gives them back. */
export const structOf = (fields: ReadonlyArray<FieldSpec>, nested: NestedSchema): Schema.Codec<unknown, unknown> => {
  const members = fields.map((field) => {
    const plain = fieldOf(field, nested)
    const marked = field.personal ? Field.personal(plain) : plain
    const hidden = field.hiddenFromRules ? Field.hiddenFromRules(marked) : marked
    return [field.name, field.nullable ? Field.optional(hidden) : hidden] as const
  })
  return untyped(Schema.Struct(Object.fromEntries(members)))
}
