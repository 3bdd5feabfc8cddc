/** Values, hashes, transforms, bounds and manifest lists of the specification and of other implementations (`vectors/`). */
import { assert, describe, it } from "@effect/vitest"
import { decodeManifestList } from "../../src/io/ManifestListCodec.ts"
import { partitionText } from "../../src/read/inspect/ValueText.ts"
import { lowerBound, upperBound } from "../../src/spec/Bounds.ts"
import { readDefault } from "../../src/spec/DefaultValue.ts"
import { FormatError } from "../../src/spec/FormatError.ts"
import { printJson, type JsonValue } from "../../src/spec/Json.ts"
import { schemaFromJson } from "../../src/spec/Schema.ts"
import { singleValueFromBytes, singleValueToBytes } from "../../src/spec/SingleValue.ts"
import { applyTransform, bucketHash, transformFromText, transformResult } from "../../src/spec/Transform.ts"
import { primitiveFromText, type PrimitiveType } from "../../src/spec/Type.ts"
import { bytesOf, hexOf, valueOf, vectorBytes, vectorRows, vectors } from "./Vectors.ts"

const typeOf = (json: JsonValue | undefined): PrimitiveType => primitiveFromText(String(json), "vector")

describe("single values as bytes", () => {
  const file = vectors("binary.json")
  for (const [json, value, hex] of vectorRows(file, "written")) {
    it(`${String(json)} ${String(value)} is ${String(hex)}`, () => {
      const type = typeOf(json)
      assert.strictEqual(hexOf(singleValueToBytes(type, valueOf(type, value))), hex)
      assert.deepStrictEqual(singleValueFromBytes(type, bytesOf(String(hex))), valueOf(type, value))
    })
  }
  for (const [json, value, hex] of vectorRows(file, "read")) {
    it(`${String(json)} is read from ${String(hex)}`, () => {
      const type = typeOf(json)
      assert.deepStrictEqual(singleValueFromBytes(type, bytesOf(String(hex))), valueOf(type, value))
    })
  }
})

describe("single values as JSON", () => {
  const file = vectors("json.json")
  const read = (type: JsonValue | undefined, value: JsonValue | undefined) => {
    const fields = [{ id: 100, name: "f", required: false, type: type ?? null }]
    const [field] = schemaFromJson({ type: "struct", fields }, "vector").fields
    return readDefault(field!.type, value ?? null, "vector")
  }
  for (const [type, value] of vectorRows(file, "read")) {
    it(`${JSON.stringify(type)} takes ${JSON.stringify(value)}`, () =>
      assert.strictEqual(printJson(read(type, value)), printJson(value ?? null)))
  }
  for (const [type, value] of [...vectorRows(file, "refused"), ...vectorRows(file, "elsewhere")]) {
    it(`${JSON.stringify(type)} refuses ${JSON.stringify(value)}`, () =>
      assert.throws(() => read(type, value), FormatError))
  }
  for (const [type, value] of vectorRows(file, "later")) {
    it(`${JSON.stringify(type)} takes ${JSON.stringify(value)}, or is refused by name`, () => {
      try {
        assert.strictEqual(printJson(read(type, value)), printJson(value ?? null))
      } catch (error) {
        assert.instanceOf(error, FormatError)
        assert.include(error.message, String(type))
      }
    })
  }
})

describe("hashes", () => {
  const file = vectors("hash.json")
  for (const [json, value, hash] of vectorRows(file, "hashes")) {
    it(`${String(json)} ${String(value)} is ${String(hash)}`, () => {
      const type = typeOf(json)
      assert.strictEqual(bucketHash(type, valueOf(type, value)), hash)
    })
  }
  for (const [json, value, otherJson, other] of vectorRows(file, "equal")) {
    it(`${String(json)} ${String(value)} is that of ${String(otherJson)} ${String(other)}`, () => {
      const [type, otherType] = [typeOf(json), typeOf(otherJson)]
      assert.strictEqual(bucketHash(type, valueOf(type, value)), bucketHash(otherType, valueOf(otherType, other)))
    })
  }
})

describe("transforms", () => {
  for (const [text, json, value, expected] of vectorRows(vectors("transforms.json"), "values")) {
    it(`${String(text)} of ${String(json)} ${String(value)} is ${String(expected)}`, () => {
      const type = typeOf(json)
      const transform = transformFromText(String(text), "vector")
      const result = transformResult(transform, type)!
      assert.deepStrictEqual(applyTransform(transform, type, valueOf(type, value)), valueOf(result, expected))
    })
  }
  for (const [text, json, value, expected] of vectorRows(vectors("partition-texts.json"), "texts")) {
    it(`${String(text)} of ${String(json)} ${String(value)} reads ${String(expected)}`, () => {
      const type = typeOf(json)
      const transform = transformFromText(String(text), "vector")
      const partition = applyTransform(transform, type, valueOf(type, value))!
      assert.strictEqual(partitionText(transform, transformResult(transform, type)!, partition), expected)
    })
  }
})

describe("bounds", () => {
  for (const [json, length, value, lower, upper] of vectorRows(vectors("bounds.json"), "bounds")) {
    it(`of ${JSON.stringify(value)} in ${String(length)} are ${JSON.stringify(lower)} and ${JSON.stringify(upper)}`, () => {
      const type = typeOf(json)
      const shortened = (bound: typeof lowerBound) => {
        const bytes = bound(type, valueOf(type, value), Number(length))
        return bytes === undefined ? null : singleValueFromBytes(type, bytes)
      }
      const expected = (bound: JsonValue | undefined) => (bound === null ? null : valueOf(type, bound))
      assert.deepStrictEqual([shortened(lowerBound), shortened(upperBound)], [expected(lower), expected(upper)])
    })
  }
})

describe("manifest lists of Java", () => {
  it("are read by field ids: Iceberg 1.4 called counts otherwise than 1.5", () => {
    for (const name of ["manifest-list-v2-1", "manifest-list-v2-2"]) {
      const manifests = decodeManifestList(vectorBytes(`lists/${name}.avro`))
      assert.isAbove(manifests.length, 0)
      for (const manifest of manifests) {
        assert.deepInclude(manifest, { content: "data", deletedFilesCount: 0 }, name)
        assert.match(manifest.manifestPath, /\.avro$/)
      }
    }
  })

  it("are refused when they are encrypted", () => {
    assert.throws(() => decodeManifestList(vectorBytes("lists/manifest-list-v3-encrypted.avro")), FormatError)
  })
})
