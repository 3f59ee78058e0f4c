// Says so when the browser could not make or use a passkey, instead of nothing.
//   [data-passkey-failed]  the hidden notice; allauth's scripts raise `allauth.error`
document.addEventListener("allauth.error", (event) => {
  const notice = document.querySelector("[data-passkey-failed]");
  if (!notice) return;
  event.preventDefault();
  notice.hidden = false;
});
