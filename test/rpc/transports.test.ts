/** Every procedure over every transport, with real sockets, as the embedded services answer. */
import { handlersSuite } from "./handlers/handlers.contract.ts"
import { served, transports } from "./overTransports.ts"

for (const [name, connect] of Object.entries(transports)) handlersSuite(name, served(connect))
