import { createContext, use } from "react";
import type { Permission, Session } from "../api/types";

export const SessionContext = createContext<Session | null>(null);

export function useSignedIn(): Session {
  const session = use(SessionContext);
  if (!session) throw new Error("useSignedIn is used by a screen that is shown without a session");
  return session;
}

export function useMay(): (permission: Permission) => boolean {
  const { permissions } = useSignedIn();
  return (permission) => permissions.includes(permission);
}
