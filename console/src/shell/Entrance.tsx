import { useSession } from "../api/session";
import { LoadingScreen } from "../parts/LoadingScreen";
import { ProblemScreen } from "../parts/ProblemScreen";
import { LoginScreen } from "../screens/login/LoginScreen";
import { SessionContext } from "./sessionContext";
import { SignedIn } from "./SignedIn";

/** Nobody gets past without a session. The address stays, so that signing in leads to where the person wanted to go. */
export function Entrance() {
  const session = useSession();
  if (session.data) {
    return (
      <SessionContext value={session.data}>
        <SignedIn key={session.data.person.id} />
      </SessionContext>
    );
  }
  if (session.isError) return <ProblemScreen error={session.error} onRetry={() => void session.refetch()} />;
  return session.data === null ? <LoginScreen /> : <LoadingScreen />;
}
