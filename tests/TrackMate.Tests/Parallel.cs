// Most of a test's time goes by in servers and browsers that it waits for.
[assembly: CollectionBehavior(MaxParallelThreads = 4)]
