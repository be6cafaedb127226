using CsCheck;
using TrackMate.Bind;
using TrackMate.Store.Acts;
using TrackMate.Store.Ingest;
using TrackMate.Store.Rebuild;
using TrackMate.Store.Sql;
using TrackMate.Tests.Model;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Store;

/// <summary>B8, B13: claims on one session at few times by few people, in any order: what each changes beside its neighbours is what all of them would make anew.</summary>
public sealed class LateClaimsTests(TemporaryStore stored) : IClassFixture<TemporaryStore>
{
    private static readonly Company Naming = Messages.Company(0);

    private static readonly Gen<Identifier> Email = Gen.OneOf("a@shop.com", "b@shop.com", "c@shop.com").Select(value => Identifier.Email(Naming, value));
    private static readonly Gen<Identifier> External = Gen.OneOf("X", "Y").Select(value => Identifier.External(Naming, value));
    private static readonly Gen<Identifier> Bare = Gen.OneOf(Email, External).Select(identifier => Identifier.Bare(identifier.Id));

    private static readonly Gen<IReadOnlyList<Identifier>> Named = Gen.Frequency(
        (4, Email.Select(email => (IReadOnlyList<Identifier>)[email])),
        (4, External.Select(external => (IReadOnlyList<Identifier>)[external])),
        (1, Gen.Select(Email, External, (email, external) => (IReadOnlyList<Identifier>)[email, external])),
        (1, Gen.Select(Bare, Email, External, (bare, email, external) => (IReadOnlyList<Identifier>)[bare, email, external])));

    /// <summary>An identify, a webhook that names somebody and the session, or an event that is bound by the session.</summary>
    private static readonly Gen<Message> Said = Gen.Select(Gen.Int[0, 9], Named, Gen.Long[0, 5], Gen.Bool, (kind, named, time, verified) => kind switch
    {
        <= 4 => (Message)(Messages.Identify(Naming, "s", "", "", Messages.Ten + time) with { Named = [.. named.Where(identifier => identifier.Kind is not IdentifierKind.Bare)], Trust = verified && kind == 0 ? Trust.Verified : Trust.Claimed }),
        <= 8 => Messages.Webhook(Naming, "", "", Messages.Ten + time, session: "s") with { Named = named },
        _ => Messages.Webhook(Naming, "", "", Messages.Ten + time, session: "s") with { Named = [] },
    });

    [Fact]
    public void What_claims_change_one_by_one_is_what_all_of_them_make_anew() =>
        Gen.Select(Said.Array[1, 14], Gen.Long[0, 5], Gen.Long[0, 5], Gen.Int[0, 14], Gen.Int).Sample((messages, from, to, unboundAt, seed) =>
        {
            var random = new Random(seed);
            var company = Messages.Company(stored.NextCompany());
            var eventIds = Enumerable.Range(0, messages.Length).Select(i => $"e{i}").ToArray();
            random.Shuffle(eventIds);
            using var database = stored.OpenBeside();
            var writer = new MessageWriter(new(database));
            for (var i = 0; i < messages.Length; i++)
            {
                Write(() => writer.Append([messages[i] with { Company = company, EventId = eventIds[i] }]));
                // Half of the sessions have a part that is nobody's.
                if (i == unboundAt && from < to) Write(() => new ActWriter(writer.Transaction.Database, writer.Transaction.Marks).Unbind(company, "s", Messages.Ten + from, Messages.Ten + to, new("tests", Messages.Ten, DryRun: false)));
            }

            (string, string)[] tables = [.. RandomHistoriesTests.DerivedTables, .. RandomHistoriesTests.PersonTables, .. RandomHistoriesTests.SessionTables];
            var kept = RandomHistoriesTests.DerivedRows(database, company, tables);
            Write(() => Rebuilder.Everything(database, company));
            View.AssertEqual(RandomHistoriesTests.DerivedRows(database, company, tables), kept, "One by one they make something else:");

            void Write(Action write)
            {
                writer.Transaction.Begin([(company.Number, LockMode.Rewrite)]);
                write();
                writer.Transaction.Commit();
            }
        }, iter: StoreUnderTest.Histories(100), threads: 1);
}
