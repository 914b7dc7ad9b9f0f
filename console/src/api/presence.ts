import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { call } from "./call";
import { keys } from "./keys";
import type { PresenceState } from "./types";

export function usePresence() {
  return useQuery({ queryKey: keys.presence, queryFn: ({ signal }) => call("GET /presence", { signal }) });
}

export function useChangePresence() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (presence: PresenceState) => call("PUT /presence", { body: { presence } }),
    onSuccess: (presence) => {
      client.setQueryData(keys.presence, presence);
    },
  });
}
