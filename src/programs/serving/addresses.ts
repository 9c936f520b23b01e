import * as ListenAddress from "../../layers/config/ListenAddress.ts"
import type { Addresses } from "../../rpc/server/Served.ts"

/** Where a server listens, for programs. */
export const addressDocument = ({ http, socket, tcp }: Addresses) => ({
  http: http === null ? null : `http://${ListenAddress.format(http)}`,
  tcp: tcp === null ? null : ListenAddress.format(tcp),
  socket,
  pid: process.pid
})

/** Where a server listens, in one line for people. */
export const addressLine = (addresses: Addresses, dataDir: string): string => {
  const { http, pid, socket, tcp } = addressDocument(addresses)
  const places = [
    ...(http === null ? [] : [http]),
    ...(tcp === null ? [] : [`tcp ${tcp}`]),
    ...(socket === null ? [] : [`socket ${socket}`])
  ]
  return `serving ${dataDir} at ${places.join(", ")} (process ${pid})`
}
