export function desktopNotificationState(): NotificationPermission | "unsupported" {
  return "Notification" in window ? Notification.permission : "unsupported";
}

/** Only while the console is out of sight, and without a sound. */
export function notifyDesktop(title: string, body: string): void {
  if (desktopNotificationState() !== "granted" || !document.hidden) return;
  const notification = new Notification(title, { body, silent: true, tag: "frontdesk-arrival" });
  notification.onclick = () => {
    window.focus();
    notification.close();
  };
}
