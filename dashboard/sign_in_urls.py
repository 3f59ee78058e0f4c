"""The part of allauth that Stillwatch offers, below /auth/.

What is left out needs e-mail (confirming addresses, resetting passwords by mail) or
an open sign-up. An admin's one-time link takes the place of both.
"""

from allauth.account import views as account
from django.urls import include, path

from dashboard.views import sign_in

urlpatterns = [
    path("login/", account.login, name="account_login"),
    path("logout/", account.logout, name="account_logout"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("signup/", sign_in.ask_an_admin, name="account_signup"),
    path("password/reset/", sign_in.ask_an_admin, name="account_reset_password"),
    path("password/change/", account.password_change, name="account_change_password"),
    path("password/set/", account.password_set, name="account_set_password"),
    path("reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    # allauth's middleware asks for this address by name; nobody edits it here.
    path("email/", sign_in.ask_an_admin, name="account_email"),
    path("2fa/", include("allauth.mfa.urls")),
]
