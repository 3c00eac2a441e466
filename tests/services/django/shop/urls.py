import time
import uuid

from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.middleware.csrf import get_token
from django.urls import path
from django.utils.html import escape

from .jobs import QUEUE, SELF, log_of, queue


def home(request):
    return JsonResponse(SELF, headers={"X-Color": SELF["color"], "X-Version": SELF["version"]})


def slow(request):
    """What takes a while: it is under way during a change."""
    time.sleep(0.3)
    return home(request)


def health(request):
    queue.ping()
    return HttpResponse("ok")


def login(request):
    if request.method == "POST":
        request.session["user"] = request.POST["user"]
        return HttpResponseRedirect(request.build_absolute_uri("/me"))
    token = f'<input type="hidden" name="csrfmiddlewaretoken" value="{get_token(request)}">'
    return HttpResponse(f'<form method="post">{token}<input name="user"><button>Sign in</button></form>')


def me(request):
    return HttpResponse(f'<p id="me">{escape(request.session.get("user"))} in version {SELF["version"]}</p>')


def seen(request):
    """What the app takes for the client, and for its own address."""
    return JsonResponse({"client": request.headers["X-Real-IP"], "url": request.build_absolute_uri()})


def jobs(request):
    """Each request is a job for the worker."""
    job = str(uuid.uuid4())
    queue.rpush(QUEUE, job)
    return JsonResponse({"job": job})


def job(request, job):
    return JsonResponse({"by": queue.lrange(log_of(job), 0, -1)})


urlpatterns = [
    path("", home),
    path("slow", slow),
    path("health", health),
    path("login", login),
    path("me", me),
    path("seen", seen),
    path("jobs", jobs),
    path("jobs/<job>", job),
]
