import { type QueryClient, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { call, rememberCsrfToken } from "./call";
import { keys } from "./keys";
import { asProblem } from "./problem";
import type { Session } from "./types";

/** The signed-in person, or null when nobody is. */
export function useSession() {
  return useQuery({
    queryKey: keys.session,
    queryFn: async ({ signal }): Promise<Session | null> => {
      try {
        return entered(await call("GET /session", { signal }));
      } catch (error) {
        if (asProblem(error).id === "not_signed_in") return null;
        throw error;
      }
    },
  });
}

export function useSignIn() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (credentials: { login: string; password: string }) => entered(await call("POST /session", { body: credentials })),
    onSuccess: (session) => {
      forgetWhatOthersSaw(client);
      client.setQueryData(keys.session, session);
    },
  });
}

export function useSignOut() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => call("DELETE /session", {}),
    onSuccess: () => {
      sessionStorage.clear();
      client.setQueryData(keys.session, null);
      forgetWhatOthersSaw(client);
    },
  });
}

/** Somebody else may sit down at this browser: nothing of the last person stays. */
function forgetWhatOthersSaw(client: QueryClient): void {
  client.removeQueries({ predicate: (query) => query.queryKey[0] !== keys.session[0] });
}

function entered(session: Session): Session {
  rememberCsrfToken(session.csrf_token);
  return session;
}
