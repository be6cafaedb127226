using System.Collections.Concurrent;
using TrackMate.Bind;
using TrackMate.Store.Sql;

namespace TrackMate.Store.Timeline;

/// <summary>
/// A store's connections that read, and whether that can be done: of the whole store or, where companies lie on machines of their own, of each of them. Who asks for
/// what cannot be read is told so at once, but for one at a time, who finds out.
/// </summary>
internal sealed partial class StoreReaders(Engine engine, ILogger log) : IDisposable
{
    /// <summary>Snapshots of a shared store that are open at once at most: of the hundred connections that a server may have the writers need theirs.</summary>
    private const int MostAtOnce = 64;

    /// <summary>Of these, so many of a company that lies on a machine of its own: where that hangs, the others go on.</summary>
    private const int MostOfOneCompany = 16;

    /// <summary>Of these, so many that find out whether the machine of a company is back.</summary>
    private const int MostAsking = 8;

    /// <summary>Idle connections kept, each with its cache; what a rush of readers opened beyond them is closed.</summary>
    private const int MostIdle = 16;

    /// <summary>How long a reader waits until others are done.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    private readonly ConcurrentBag<Database> idle = [];
    private readonly ConcurrentDictionary<long, Place> places = new();
    private readonly SemaphoreSlim free = new(MostAtOnce);
    private readonly SemaphoreSlim asking = new(MostAsking);

    /// <summary>What is there or away as a whole.</summary>
    private sealed class Place(Company? company)
    {
        /// <summary>The one that lies there; null for all that is not on a machine of its own.</summary>
        public Company? Company { get; } = company;

        public SemaphoreSlim Free { get; } = new(MostOfOneCompany);

        public SemaphoreSlim Asking { get; } = new(1);

        /// <summary>What the last reader failed with; null while it can be read.</summary>
        public volatile Exception? Unreadable;
    }

    /// <inheritdoc cref="MessageStore.Read(Company?)"/>
    public ReadSnapshot Read(Company? company)
    {
        var own = engine.IsDistributed ? company : null;
        var place = places.GetOrAdd(own?.Number ?? Engine.NoCompany, _ => new(own));
        var held = new Stack<SemaphoreSlim>();
        try
        {
            if (place.Unreadable is not null)
            {
                Hold(held, place.Asking, TimeSpan.Zero, place);
                if (own is not null) Hold(held, asking, TimeSpan.Zero, place);
            }

            if (own is not null) Hold(held, place.Free, Patience, place);
            if (engine.IsShared && company is not null) Hold(held, free, Patience, place);
            var database = Begin(place);
            return new(database, () => Return(database, place, held));
        }
        catch
        {
            Release(held);
            throw;
        }
    }

    private static void Hold(Stack<SemaphoreSlim> held, SemaphoreSlim some, TimeSpan patience, Place place)
    {
        if (!some.Wait(patience))
            throw new StoreUnavailableException(place.Unreadable is null ? "More is read at once than the store can answer." : "The store cannot be read now.", place.Unreadable);
        held.Push(some);
    }

    private static void Release(Stack<SemaphoreSlim> held)
    {
        while (held.TryPop(out var some)) some.Release();
    }

    private Database Begin(Place place)
    {
        try
        {
            while (idle.TryTake(out var kept))
            {
                try
                {
                    return Begin(kept, place);
                }
                catch (Exception e) when (IsUnavailable(e))
                {
                    // It may have lost what it was connected to, and then so have those beside it; a new one says whether that is so.
                    while (idle.TryTake(out var other)) other.Dispose();
                }
            }

            var begun = Begin(engine.OpenReader(), place);
            // Where a company lies elsewhere nothing has been asked of that machine yet.
            if (place.Company is null) NoteReadable(place);
            return begun;
        }
        catch (Exception e) when (IsUnavailable(e))
        {
            NoteUnreadable(place, e);
            throw new StoreUnavailableException("The store cannot be read now.", e);
        }
    }

    private static Database Begin(Database database, Place place)
    {
        try
        {
            database.BeginRead(place.Company?.Number);
            return database;
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    private void Return(Database database, Place place, Stack<SemaphoreSlim> held)
    {
        try
        {
            var fault = database.Fault;
            // An error while reading has ended the transaction: the connection is not used again, and the error is not hidden behind one of the end.
            if (database.IsIdle || fault is not null || idle.Count >= MostIdle || !database.TryExecute("COMMIT")) database.Dispose();
            else idle.Add(database);
            if (fault is null) NoteReadable(place);
            else if (place.Company is not null) NoteUnreadable(place, fault);
            else LogFault(log, engine.Name, StoreUnavailableException.CauseOf(fault));
        }
        finally
        {
            Release(held);
        }
    }

    private void NoteReadable(Place place)
    {
        if (place.Unreadable is null) return;
        place.Unreadable = null;
        var name = NameOf(place);
        LogReadRecovered(log, name);
    }

    private void NoteUnreadable(Place place, Exception e)
    {
        if (place.Unreadable is null) LogReadFailed(log, NameOf(place), StoreUnavailableException.CauseOf(e));
        place.Unreadable = e;
    }

    private string NameOf(Place place) => place.Company is { } company ? $"Company {company.CompanyId} in {engine.Place}" : engine.Name;

    private bool IsUnavailable(Exception e) => e is StoreUnavailableException || engine.IsUnavailable(e);

    public void Dispose()
    {
        foreach (var reader in idle) reader.Dispose();
        foreach (var place in places.Values)
        {
            place.Free.Dispose();
            place.Asking.Dispose();
        }

        free.Dispose();
        asking.Dispose();
    }

    [LoggerMessage(EventId = 5, Level = LogLevel.Error, Message = "{Place} cannot be read: {Reason}. Whoever asks gets 503; it is tried again with each request.")]
    private static partial void LogReadFailed(ILogger logger, string place, string reason);

    [LoggerMessage(EventId = 6, Level = LogLevel.Information, Message = "{Place} is read again.")]
    private static partial void LogReadRecovered(ILogger logger, string place);

    [LoggerMessage(EventId = 7, Level = LogLevel.Warning, Message = "Something that was asked for could not be read from {Store}: {Reason}. Who asked got 503.")]
    private static partial void LogFault(ILogger logger, string store, string reason);
}
