"""The second half of the machine that writes: users, groups and memberships."""

from __future__ import annotations

import orjson
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from taskapi.domain.errors import Forbidden, Invalid, NotFound
from taskapi.domain.rights import Right
from taskapi.services import groups, members, sweeping, user_changes, users
from tests.services.machine import PEOPLE, SETS_OF_TEAMS, TEAMS, TaskMachine
from tests.services.model import GROUP_ADMIN, OWNER, USER, Answer, Person, Team

MANAGERS = st.sampled_from([1, 1, 1, 1, 1, 1, 2, 2, 3])


class WritingMachine(TaskMachine):
    """All that changes something."""

    @rule(who=MANAGERS, data=st.data())
    def delete_user(self, who: int, data: st.DataObject) -> None:
        user_id = self.pick(data, self.model.users.keys() - {1})

        def expected() -> Answer:
            return self.owners(who) or (None if user_id in self.model.users else NotFound)

        if self.attempt(who, expected, users.delete_user, Right.DELETE_USER, user_id):
            self.model.delete_user(user_id)

    @precondition(lambda self: self.model.gone_users)
    @rule(data=st.data())
    def restore_user(self, data: st.DataObject) -> None:
        user_id = self.pick(data, self.model.gone_users)

        def expected() -> Answer:
            return None if user_id in self.model.gone_users else NotFound

        if self.attempt(1, expected, users.restore_user, Right.DELETE_USER, user_id):
            self.model.restore_user(user_id)

    @rule(teams=SETS_OF_TEAMS, role=st.sampled_from([USER, GROUP_ADMIN]))
    def create_user(self, teams: set[int], role: str) -> None:
        number = len(self.model.users) + len(self.model.gone_users) + 1
        if number <= 7:
            fields = {
                "full_name": f"New {number}",
                "password": "x",
                "role": role,
                "group_ids": tuple(sorted(teams)),
            }

            def expected() -> Answer:
                return None if teams <= self.model.groups.keys() else Invalid

            if self.attempt(1, expected, users.create_user, Right.CREATE_USER, fields):
                self.model.users[number] = Person(f"New {number}", role, teams)

    @rule(data=st.data(), teams=SETS_OF_TEAMS, role=st.sampled_from([None, None, USER, GROUP_ADMIN, OWNER]))
    def change_user(self, data: st.DataObject, teams: set[int], role: str | None) -> None:
        user_id = self.pick(data, self.model.users.keys() - {1})

        def expected() -> Answer:
            if user_id not in self.model.users:
                return NotFound
            return None if teams <= self.model.groups.keys() else Invalid

        sent = {"group_ids": tuple(sorted(teams))} | ({"role": role} if role else {})
        if self.attempt(1, expected, user_changes.change_user, Right.CHANGE_USER, user_id, sent):
            self.model.set_user(user_id, teams, role or self.model.users[user_id].role)

    @rule(who=MANAGERS, group_id=TEAMS, user_id=PEOPLE)
    def add_member(self, who: int, group_id: int, user_id: int) -> None:
        def expected() -> Answer:
            return self.may_manage(who, group_id) or (
                self.is_plain(who, user_id) if user_id in self.model.users else Invalid
            )

        if self.attempt(who, expected, members.add_member, Right.MANAGE_MEMBERS, group_id, user_id):
            self.model.users[user_id].groups.add(group_id)

    @rule(who=MANAGERS, data=st.data())
    def remove_member(self, who: int, data: st.DataObject) -> None:
        user_id = self.pick(data, self.model.users)
        group_id = self.pick(data, self.model.users[user_id].groups if user_id in self.model.users else ())

        def expected() -> Answer:
            user = self.model.users.get(user_id)
            is_member = user is not None and group_id in user.groups
            return self.may_manage(who, group_id) or (self.is_plain(who, user_id) if is_member else NotFound)

        if self.attempt(who, expected, members.remove_member, Right.MANAGE_MEMBERS, group_id, user_id):
            user = self.model.users[user_id]
            self.model.set_user(user_id, user.groups - {group_id}, user.role)

    def may_manage(self, who: int, group_id: int) -> Answer:
        return Forbidden if self.model.users[who].role == USER else self.model.in_group(who, group_id)

    def is_plain(self, who: int, user_id: int) -> Answer:
        is_owner = self.model.users[who].role == OWNER
        return None if is_owner or self.model.users[user_id].role == USER else Forbidden

    @rule(who=MANAGERS, admin=st.one_of(st.none(), PEOPLE))
    def create_group(self, who: int, admin: int | None) -> None:
        number = len(self.model.groups) + len(self.model.gone_groups) + 1
        if number <= 4:
            fields = {"name": f"Team {number} {self.last_id}"} | ({"admin_id": admin} if admin else {})

            def expected() -> Answer:
                return self.owners(who) or self.able(admin)

            done = self.attempt(who, expected, groups.create_group, Right.MANAGE_GROUPS, fields)
            if done:
                group_id = orjson.loads(done.body)["id"]
                self.model.groups[group_id] = Team(fields["name"])
                self.named(group_id, admin)

    @rule(who=MANAGERS, group_id=TEAMS, admin=st.one_of(st.none(), PEOPLE))
    def change_group(self, who: int, group_id: int, admin: int | None) -> None:
        def expected() -> Answer:
            return self.owners(who) or self.model.in_group(who, group_id) or self.able(admin)

        sent = {"admin_id": admin}
        if self.attempt(who, expected, groups.change_group, Right.MANAGE_GROUPS, group_id, sent):
            self.named(group_id, admin)

    def able(self, admin: int | None) -> Answer:
        user = self.model.users.get(admin or 0)
        return None if admin is None or (user and user.role in (OWNER, GROUP_ADMIN)) else Invalid

    def named(self, group_id: int, admin: int | None) -> None:
        self.model.groups[group_id].admin = admin
        if admin:
            self.model.users[admin].groups.add(group_id)

    @rule(who=MANAGERS, group_id=TEAMS)
    def delete_group(self, who: int, group_id: int) -> None:
        def expected() -> Answer:
            return self.owners(who) or self.model.in_group(who, group_id)

        if self.attempt(who, expected, groups.delete_group, Right.MANAGE_GROUPS, group_id):
            self.model.delete_group(group_id)

    @precondition(lambda self: self.model.gone_groups)
    @rule(data=st.data())
    def restore_group(self, data: st.DataObject) -> None:
        group_id = self.pick(data, self.model.gone_groups)

        def expected() -> Answer:
            return None if group_id in self.model.gone_groups else NotFound

        if self.attempt(1, expected, groups.restore_group, Right.MANAGE_GROUPS, group_id):
            self.model.restore_group(group_id)

    @precondition(lambda self: self.model.leaving)
    @rule()
    def sweep(self) -> None:
        sweeping.sweep(self.store, 10)
        self.model.sweep()
