import { FeedProvider } from "../feed/FeedProvider";
import { OutboxProvider } from "../screens/workbench/OutboxProvider";
import { Frame } from "./Frame";
import { Routing } from "./Routing";
import { useSignedIn } from "./sessionContext";
import { useArrivals } from "./useArrivals";

export function SignedIn() {
  const { person } = useSignedIn();
  const { unseen, onArrival, markSeen } = useArrivals();
  return (
    <FeedProvider person={person} onArrival={onArrival}>
      <OutboxProvider>
        <Frame>
          <Routing unseen={unseen} onSeen={markSeen} />
        </Frame>
      </OutboxProvider>
    </FeedProvider>
  );
}
