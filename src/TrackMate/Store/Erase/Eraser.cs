using System.Data.Common;
using TrackMate.Bind;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Erase;

/// <summary>Carries erasures through: step by step out of the tables, then out of the files. One for each store in a process: none is worked on twice at a time.</summary>
/// <param name="step">Runs a step in a transaction of the writer that has the company to itself.</param>
internal sealed class Eraser(Engine engine, Func<Company, Func<ErasureWriter, ErasureState?>, Task<ErasureState?>> step)
{
    private readonly Lock gate = new();
    private readonly HashSet<long> underWay = [];
    private Task cleaning = Task.CompletedTask;
    private Task<bool>? following;

    /// <summary>Begins an erasure, and takes the person's rows out; <see cref="CleanFilesAsync"/> has to follow.</summary>
    /// <returns>Where it stands once no row of the person is left; null where the company has no such profile.</returns>
    /// <exception cref="ErasureUnfinishedException">It has begun, and the store went away before all rows were gone.</exception>
    public async Task<ErasureState?> EraseRowsAsync(Company company, ProfileId id, ActBy by, bool suppress)
    {
        // A server beside this one may have numbered what it refuses and not committed it: having the company to ourselves for once waits for that, and what comes later has greater numbers.
        if (engine.IsShared) await step(company, _ => null);
        var seen = Look(company, id);
        ErasureState? begun = null;
        try
        {
            // Held before it is committed: whoever sees it sees that it is being worked on.
            await step(company, erasure =>
            {
                begun = erasure.Begin(company, id, by, suppress, seen: seen);
                if (begun is not null) TryHold(begun);
                return begun;
            });
        }
        catch
        {
            if (begun is not null) Release(begun);
            throw;
        }

        if (begun is null) return null;
        try
        {
            return await EraseRowsAsync(begun);
        }
        catch (Exception e)
        {
            Release(begun);
            if (e is StoreUnavailableException or DbException) throw new ErasureUnfinishedException(begun.Erased, e);
            throw;
        }
    }

    /// <summary>Takes the bytes out of the files as well.</summary>
    /// <returns>False where something held them back; a running server goes on with it, and so does the next erasure by the command line.</returns>
    public async Task<bool> CleanFilesAsync(ErasureState state, CancellationToken cancel)
    {
        try
        {
            return await CleanAndCloseAsync([state], cancel);
        }
        finally
        {
            Release(state);
        }
    }

    /// <summary>Takes the rows out of one that was left unfinished.</summary>
    /// <returns>Null where it is being worked on already.</returns>
    public async Task<ErasureState?> ResumeRowsAsync(ErasureState state)
    {
        if (!TryHold(state)) return null;
        try
        {
            return await EraseRowsAsync(state);
        }
        finally
        {
            Release(state);
        }
    }

    /// <summary>Takes the bytes of several out of the files at once, which were left unfinished and whose rows are gone.</summary>
    /// <returns>False as with <see cref="CleanFilesAsync"/>.</returns>
    public async Task<bool> ResumeFilesAsync(IEnumerable<ErasureState> states, CancellationToken cancel)
    {
        var held = states.Where(TryHold).ToList();
        try
        {
            return held.Count == 0 || await CleanAndCloseAsync(held, cancel);
        }
        finally
        {
            held.ForEach(Release);
        }
    }

    private async Task<bool> CleanAndCloseAsync(IReadOnlyCollection<ErasureState> states, CancellationToken cancel)
    {
        if (!await CleanAsync(cancel)) return false;
        foreach (var state in states)
        {
            await step(state.Company, erasure =>
            {
                erasure.Close(state.Number);
                return null;
            });
        }

        return true;
    }

    private async Task<ErasureState> EraseRowsAsync(ErasureState state)
    {
        while (!state.RowsGone)
        {
            var last = state;
            state = (await step(last.Company, erasure => erasure.Continue(last)))!;
        }

        return state;
    }

    private SeenTraces? Look(Company company, ProfileId id)
    {
        using var reader = engine.OpenReader();
        reader.BeginRead();
        return new ErasureWriter(reader).Look(company, id);
    }

    /// <summary>One at a time; whoever asks while one runs waits for the next, since it may have passed already where their bytes are. All who wait share that.</summary>
    private Task<bool> CleanAsync(CancellationToken cancel)
    {
        lock (gate) return following ??= FollowAsync(cleaning, cancel);
    }

    private async Task<bool> FollowAsync(Task before, CancellationToken cancel)
    {
        await Task.Yield();
        await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (gate)
        {
            cleaning = following!;
            following = null;
        }

        return await Task.Run(() => engine.Clean(cancel), cancel);
    }

    private bool TryHold(ErasureState state)
    {
        lock (gate) return underWay.Add(state.Number);
    }

    private void Release(ErasureState state)
    {
        lock (gate) underWay.Remove(state.Number);
    }
}

/// <summary>A person is hidden and not yet out of all tables; whoever resumes what was left unfinished goes on.</summary>
/// <param name="erased">What goes with them.</param>
internal sealed class ErasureUnfinishedException(Erased erased, Exception cause) : Exception("The person is hidden from now on, and not all that is theirs is out of the tables yet.", cause)
{
    public Erased Erased { get; } = erased;
}
