import signal

from django.core.management.base import BaseCommand

from shop.jobs import QUEUE, SELF, log_of, queue


class Command(BaseCommand):
    help = "Does the jobs that the web part has put into the queue."
    ended = False

    def handle(self, *args, **options):
        # The job that is under way is finished.
        signal.signal(signal.SIGTERM, self.end)
        self.stdout.write("at work")
        while not self.ended:
            taken = queue.blpop([QUEUE], timeout=1)
            if taken:
                queue.rpush(log_of(taken[1]), f"{SELF['color']} {SELF['version']}")

    def end(self, *_):
        self.ended = True
