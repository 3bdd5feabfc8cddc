import { assert, describe, it } from "@effect/vitest"
import { encodePath, encodeQuery, signRequest, type RequestToSign } from "../../../src/storage/s3/SignRequest.ts"

// the examples of Amazon's documentation, "Signature Calculations for the Authorization Header"
const keys = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
}
const at = Date.UTC(2013, 4, 24)
const host = "https://examplebucket.s3.amazonaws.com"
const nothing = new Uint8Array()

const cases: ReadonlyArray<readonly [string, RequestToSign, string]> = [
  [
    "a range of an object",
    { method: "GET", url: new URL(`${host}/test.txt`), headers: { range: "bytes=0-9" }, payload: nothing },
    "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
  ],
  [
    "a new object",
    {
      method: "PUT",
      url: new URL(`${host}/${encodePath("test$file.text")}`),
      headers: { date: "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY" },
      payload: new TextEncoder().encode("Welcome to Amazon S3.")
    },
    "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
  ],
  [
    "a parameter without a value",
    { method: "GET", url: new URL(`${host}/?${encodeQuery({ lifecycle: "" })}`), headers: {}, payload: nothing },
    "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
  ],
  [
    "a list",
    {
      method: "GET",
      url: new URL(`${host}/?${encodeQuery({ prefix: "J", "max-keys": "2" })}`),
      headers: {},
      payload: nothing
    },
    "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
  ]
]

describe("signRequest", () => {
  for (const [what, request, signature] of cases) {
    it(`signs ${what} as Amazon's documentation does`, () => {
      const signed = signRequest(request, keys, "us-east-1", at)
      assert.strictEqual(signed["authorization"]?.split("Signature=")[1], signature)
      assert.isUndefined(signed["host"])
    })
  }

  it("signs the token of temporary credentials", () => {
    const request = { method: "GET", url: new URL(`${host}/`), headers: {}, payload: nothing }
    const signed = signRequest(request, { ...keys, sessionToken: "token" }, "us-east-1", at)
    assert.strictEqual(signed["x-amz-security-token"], "token")
    assert.include(signed["authorization"], "x-amz-security-token,")
  })
})
