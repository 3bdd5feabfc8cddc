import { assert, describe, it } from "@effect/vitest"
import { parseJson, printJson } from "../../src/spec/Json.ts"
import {
  fieldByName,
  fieldsById,
  highestFieldId,
  leafFields,
  schemaFromJson,
  schemaProblems,
  schemaToJson
} from "../../src/spec/Schema.ts"
import { primitiveFromText } from "../../src/spec/Type.ts"

const nested = `{"type":"struct","schema-id":3,"identifier-field-ids":[1],"fields":[
  {"id":1,"name":"id","required":true,"type":"string","doc":"who"},
  {"id":2,"name":"amount","required":false,"type":"decimal(18, 2)"},
  {"id":3,"name":"tags","required":false,"type":{"type":"list","element-id":4,"element":"string","element-required":true}},
  {"id":5,"name":"where","required":false,"type":{"type":"struct","fields":[
    {"id":6,"name":"lat","required":true,"type":"double"},{"id":7,"name":"lon","required":true,"type":"double"}]}},
  {"id":8,"name":"by","required":false,"type":{"type":"map","key-id":9,"key":"string","value-id":10,
    "value":{"type":"struct","fields":[{"id":11,"name":"n","required":false,"type":"fixed[4]"}]},"value-required":false}}]}`

const schema = schemaFromJson(parseJson(nested), "schema")

describe("TableSchema", () => {
  it("keeps every part through JSON", () => {
    const again = schemaFromJson(parseJson(printJson(schemaToJson(schema))), "schema")
    assert.deepStrictEqual(again, schema)
    assert.deepStrictEqual(schemaProblems(schema), [])
  })

  it("finds fields by id and by full name, and knows what repeats", () => {
    assert.deepStrictEqual(fieldsById(schema).get(11)?.path, ["by", "value", "n"])
    assert.strictEqual(fieldsById(schema).get(11)?.repeated, true)
    assert.strictEqual(fieldByName(schema, "where.lat")?.id, 6)
    assert.strictEqual(fieldByName(schema, "where.lat")?.repeated, false)
    assert.deepStrictEqual(
      leafFields(schema).map((field) => field.id),
      [1, 2, 4, 6, 7, 9, 11]
    )
    assert.strictEqual(highestFieldId(schema), 11)
  })

  for (const name of ["_file", "_pos", "_deleted", "_spec_id", "_partition", "_row_id", "_change_type"]) {
    it(`refuses the column name ${name}, which readers keep for themselves`, () => {
      const fields = [{ id: 1, name, required: false, type: { _tag: "string" as const } }]
      assert.match(schemaProblems({ schemaId: 0, fields, identifierFieldIds: [] }).join(), new RegExp(name))
    })
  }

  it("names ids and names that are used twice", () => {
    const type = { _tag: "long" as const }
    const fields = [
      { id: 1, name: "a", required: false, type },
      { id: 1, name: "A", required: false, type }
    ]
    const problems = schemaProblems({ schemaId: 0, fields, identifierFieldIds: [] })
    assert.lengthOf(problems, 2)
  })

  it("says where a schema is wrong", () => {
    const bad = nested.replace('"name":"lat","required":true', '"name":"lat","required":1')
    assert.throws(
      () => schemaFromJson(parseJson(bad), "schema"),
      /schema\.fields\[3\]\(where\)\.type\.fields\[0\]\.required/
    )
    assert.throws(() => primitiveFromText("timestamptz_ns", "t"), /format version 3/)
    assert.throws(() => primitiveFromText("decimal(39, 2)", "t"), /no such decimal/)
  })
})
