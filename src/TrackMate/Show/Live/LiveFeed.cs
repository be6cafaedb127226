using System.Threading.Channels;
using TrackMate.Store;

namespace TrackMate.Show;

/// <summary>
/// Notifies open pages that their company has new data, a few times a second at most. The pages then read the data themselves.
/// </summary>
internal sealed class LiveFeed(MessageStore store, TimeProvider time) : BackgroundService
{
    private const int MaxPages = 200;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(300);

    private readonly Channel<bool> appended = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly Lock gate = new();
    private readonly List<Watch> watches = [];
    private readonly HashSet<long> changedCompanies = [];

    /// <summary>One open page.</summary>
    public sealed class Watch(LiveFeed feed, long company) : IDisposable
    {
        private readonly Channel<bool> changed = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

        public long Company => company;

        /// <summary>Holds an item if something has arrived since the last one was taken.</summary>
        public ChannelReader<bool> Changed => changed.Reader;

        public void Notify() => changed.Writer.TryWrite(true);

        public void Dispose()
        {
            lock (feed.gate) feed.watches.Remove(this);
        }
    }

    /// <returns>Null if the limit of open pages is reached.</returns>
    public Watch? Open(long company)
    {
        lock (gate)
        {
            if (watches.Count >= MaxPages) return null;
            var watch = new Watch(this, company);
            watches.Add(watch);
            // Data may have arrived between the rendering of the page and now, so the page reloads once.
            watch.Notify();
            return watch;
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        store.Appended += Collect;
        try
        {
            while (await appended.Reader.WaitToReadAsync(stoppingToken))
            {
                appended.Reader.TryRead(out _);
                NotifyPages();
                await Task.Delay(Pause, time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server is stopping, and the pages' streams end too.
        }
        finally
        {
            store.Appended -= Collect;
        }
    }

    private void Collect(IReadOnlyCollection<long> companies)
    {
        lock (gate)
        {
            if (watches.Count == 0) return;
            changedCompanies.UnionWith(companies);
        }

        appended.Writer.TryWrite(true);
    }

    private void NotifyPages()
    {
        lock (gate)
        {
            foreach (var watch in watches.Where(watch => changedCompanies.Contains(watch.Company))) watch.Notify();
            changedCompanies.Clear();
        }
    }
}
