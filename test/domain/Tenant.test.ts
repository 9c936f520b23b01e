import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { defaultTenant, Tenant, TenantId, TenantName } from "../../src/domain/Tenant.ts"

const accepted = (schema: typeof TenantName | typeof TenantId, text: string) =>
  Result.isSuccess(Schema.decodeUnknownResult(schema)(text))

describe("Tenant", () => {
  it("has a name that can stand in a file name, a header and a command", () => {
    for (const name of ["a", "7", "acme", "desk-2", "a--b", "x".repeat(63)]) {
      assert.isTrue(accepted(TenantName, name), name)
    }
    for (const name of ["", "-a", "a-", "A", "a_b", "a.b", "a b", "a/b", "..", "ä", "a\n", "x".repeat(64)]) {
      assert.isFalse(accepted(TenantName, name), JSON.stringify(name))
    }
  })

  it("has an id as PostgreSQL writes a uuid", () => {
    assert.isTrue(accepted(TenantId, "6f9619ff-8b86-d011-b42d-00cf4fc964ff"))
    for (const id of ["", "6F9619FF-8B86-D011-B42D-00CF4FC964FF", "6f9619ff8b86d011b42d00cf4fc964ff", "{6f9619ff}"]) {
      assert.isFalse(accepted(TenantId, id), id)
    }
  })

  it("has a default, which old rows belong to: neither its name nor its id may change", () => {
    assert.deepStrictEqual(Schema.encodeSync(Tenant)(defaultTenant), {
      name: "default",
      id: "00000000-0000-0000-0000-000000000001"
    })
  })
})
