import { handlersSuite } from "./handlers.contract.ts"
import { client } from "./inMemory.ts"

handlersSuite("in memory", client)
