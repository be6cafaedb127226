using System.Threading.Channels;
using TrackMate.Store;

namespace TrackMate.Show;

/// <summary>
/// Tells open pages that their company has received something, a few times a second at most; what has arrived the pages read themselves.
/// </summary>
internal sealed class LiveFeed(MessageStore store, TimeProvider time) : BackgroundService
{
    private const int MaxPages = 200;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(300);

    private readonly Channel<bool> appended = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly Lock gate = new();
    private readonly List<Watch> watches = [];
    private readonly HashSet<long> heard = [];

    /// <summary>One open page.</summary>
    public sealed class Watch(LiveFeed feed, long company) : IDisposable
    {
        private readonly Channel<bool> changed = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

        public long Company => company;

        /// <summary>Holds one item when something has arrived since it was last taken.</summary>
        public ChannelReader<bool> Changed => changed.Reader;

        public void Tell() => changed.Writer.TryWrite(true);

        public void Dispose()
        {
            lock (feed.gate) feed.watches.Remove(this);
        }
    }

    /// <returns>Null where as many pages are open as may be.</returns>
    public Watch? Open(long company)
    {
        lock (gate)
        {
            if (watches.Count >= MaxPages) return null;
            var watch = new Watch(this, company);
            watches.Add(watch);
            // What arrived between the drawing of the page and now was told to nobody, so the page looks once by itself.
            watch.Tell();
            return watch;
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        store.Appended += Note;
        try
        {
            while (await appended.Reader.WaitToReadAsync(stoppingToken))
            {
                appended.Reader.TryRead(out _);
                Tell();
                await Task.Delay(Pause, time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server stops; so do the pages' streams.
        }
        finally
        {
            store.Appended -= Note;
        }
    }

    private void Note(IReadOnlyCollection<long> companies)
    {
        lock (gate)
        {
            if (watches.Count == 0) return;
            heard.UnionWith(companies);
        }

        appended.Writer.TryWrite(true);
    }

    private void Tell()
    {
        lock (gate)
        {
            foreach (var watch in watches.Where(watch => heard.Contains(watch.Company))) watch.Tell();
            heard.Clear();
        }
    }
}
