"""No routes: tests give their own."""

urlpatterns: list[object] = []
