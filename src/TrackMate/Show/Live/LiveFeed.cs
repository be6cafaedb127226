using System.Threading.Channels;
using TrackMate.Store;
using TrackMate.Store.Sqlite;

namespace TrackMate.Show;

/// <summary>
/// Tells open pages that their company has received something. It follows the log once for all of them, a few times a second at most, and only while a page is
/// open; what has arrived the pages read themselves.
/// </summary>
internal sealed class LiveFeed(SqliteStore store, TimeProvider time) : BackgroundService
{
    private const int MaxPages = 200;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(300);

    private readonly Channel<bool> appended = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly Lock gate = new();
    private readonly List<Watch> watches = [];
    private (long Message, long Rejected)? end;

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
            if (watches.Count == 0) end = null;
            watches.Add(watch);
            // What arrived between the drawing of the page and now is followed by nobody, so the page looks once by itself.
            watch.Tell();
            appended.Writer.TryWrite(true);
            return watch;
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        void Signal() => appended.Writer.TryWrite(true);
        store.Appended += Signal;
        try
        {
            while (await appended.Reader.WaitToReadAsync(stoppingToken))
            {
                appended.Reader.TryRead(out _);
                Follow();
                await Task.Delay(Pause, time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server stops; so do the pages' streams.
        }
        finally
        {
            store.Appended -= Signal;
        }
    }

    private void Follow()
    {
        lock (gate)
        {
            if (watches.Count == 0) return;
        }

        try
        {
            using var snapshot = store.Read();
            var arrivals = new ArrivalReader(snapshot.Database);
            List<long>? companies = null;
            if (end is { } before) companies = arrivals.CompaniesSince(before);
            end = arrivals.End();
            lock (gate)
            {
                // Where the log was not followed until now, nobody knows for whom it was.
                foreach (var watch in watches.Where(watch => companies?.Contains(watch.Company) ?? true)) watch.Tell();
            }
        }
        catch (Exception e) when (e is StoreUnavailableException or Microsoft.Data.Sqlite.SqliteException)
        {
            // The pages cannot read it either and say so; the next message asks again.
        }
    }
}
